"""How a registry is asked: manifests, blobs, tokens and redirects."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urljoin, urlsplit

from corral.errors import SourceError
from corral_ollama_registry.connection import Interrupted, get, reading_address

if TYPE_CHECKING:
    from corral.names import ModelName
    from corral_ollama_registry.connection import Policy, Reply

_MANIFEST_TYPE = "application/vnd.docker.distribution.manifest.v2+json"
_MAX_MANIFEST_BYTES = 16 * 1024 * 1024
_MAX_TOKEN_BYTES = 256 * 1024
_MAX_REDIRECTS = 10
_REDIRECTS = (301, 302, 303, 307, 308)
_CHALLENGE = re.compile(r'(realm|service|scope)="([^"]*)"')


class Registry:
    """One repository of a registry. The token goes to the registry's own host and nowhere else."""

    def __init__(self, name: ModelName, policy: Policy) -> None:
        self._name = name
        self._policy = policy
        self._root = f"{policy.scheme(name.host)}://{name.host}"
        self._token = ""

    def manifest(self) -> bytes:
        """Return the manifest as the registry has it; raise SourceError."""
        path = f"/v2/{self._name.namespace}/{self._name.model}/manifests/{self._name.tag}"
        with self._get(path, {"Accept": _MANIFEST_TYPE}) as reply:
            if reply.status == 404:
                raise SourceError(f"pull model manifest: file does not exist: '{self._name.host}' has no '{self._name.short}'")
            _require(reply, 200)
            return reply.read_all(_MAX_MANIFEST_BYTES)

    def blob(self, digest: str, start: int) -> Reply:
        """Return the answer with a blob from an offset on; its status is 206, or 200 when it begins at 0 after all, or 416."""
        path = f"/v2/{self._name.namespace}/{self._name.model}/blobs/{digest}"
        reply = self._get(path, {"Range": f"bytes={start}-"} if start else {})
        if reply.status in (200, 206, 416):
            return reply
        with reply:
            _require(reply, 200)
        raise SourceError(f"'{reply.url}' gave no blob")

    def _get(self, path: str, headers: dict[str, str]) -> Reply:
        url = self._root + path
        reply = self._ask(url, headers)
        if reply.status == 401 and not self._token:
            with reply:
                self._token = self._authorize(reply.headers.get("WWW-Authenticate", ""))
            reply = self._ask(url, headers)
        for _ in range(_MAX_REDIRECTS):
            if reply.status not in _REDIRECTS:
                return reply
            location = reply.headers.get("Location", "")
            with reply, reading_address(location):
                url = urljoin(url, location)
            reply = self._ask(url, headers)
        with reply:
            raise SourceError(f"'{self._name.host}' redirects more than {_MAX_REDIRECTS} times")

    def _ask(self, url: str, headers: dict[str, str]) -> Reply:
        is_own = url.startswith(f"{self._root}/")
        token = {"Authorization": f"Bearer {self._token}"} if self._token and is_own else {}
        return get(url, {"User-Agent": "corral", **headers, **token}, self._policy)

    def _authorize(self, challenge: str) -> str:
        """Return a token from the registry's own host: one that another host asks for could be used against the user."""
        found = dict(_CHALLENGE.findall(challenge))
        realm = found.get("realm", "")
        with reading_address(realm):
            host = urlsplit(realm).netloc
        if host.lower() != self._name.host.lower():
            raise SourceError(f'realm host "{host}" does not match original host "{self._name.host}"')
        query = [("service", found.get("service", "")), *(("scope", scope) for scope in found.get("scope", "").split())]
        with get(f"{realm}?{urlencode(query)}", {"User-Agent": "corral"}, self._policy) as reply:
            _require(reply, 200)
            return _token(reply.read_all(_MAX_TOKEN_BYTES), self._name.host)


def _token(body: bytes, host: str) -> str:
    try:
        content = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise SourceError(f"'{host}' gave no token: {error}") from error
    token = content.get("token") if isinstance(content, dict) else None
    if not isinstance(token, str) or not token.isprintable():
        raise SourceError(f"'{host}' gave no token")
    return token


def _require(reply: Reply, status: int) -> None:
    if reply.status != status:
        said = reply.read(300).decode("utf-8", "replace").strip()
        kind = Interrupted if reply.status >= 500 else SourceError
        raise kind(f"'{urlsplit(reply.url).netloc}' answered {reply.status}: {said or 'nothing'}")
