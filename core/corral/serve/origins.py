"""Which web pages may call the server, and what browsers are told about it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterable

#: Where pages on this machine live; the last one is every address of it.
_LOCAL_HOSTS = ("localhost", "127.0.0.1", "0.0.0.0", "[::1]")  # noqa: S104 - nothing is bound
_LOCAL = tuple(f"{scheme}://{host}{port}" for scheme in ("http", "https") for host in _LOCAL_HOSTS for port in ("", ":*"))
_APPS = ("app://*", "file://*", "tauri://*", "vscode-webview://*", "vscode-file://*")

_STAINLESS = (
    "arch", "async", "custom-poll-interval", "helper-method", "lang", "os", "package-version", "poll-helper", "retry-count",
    "runtime", "runtime-version", "timeout",
)  # fmt: skip
_ALLOWED_HEADERS = ", ".join(
    (
        "Authorization", "Content-Type", "User-Agent", "Accept", "X-Requested-With", "OpenAI-Beta", "x-api-key", "api-key",
        "anthropic-version", "anthropic-beta", "anthropic-dangerous-direct-browser-access", "x-corral-num-ctx", "x-request-id",
        *(f"x-stainless-{name}" for name in _STAINLESS),
    )
)  # fmt: skip

_EXPOSED_HEADERS = "x-request-id, x-corral-ignored, x-corral-notice, retry-after"


class OriginRule:
    """Tells whether a page's origin may call, and writes the headers that let its browser do so."""

    def __init__(self, extra: Iterable[str] = ()) -> None:
        self._pattern = re.compile("|".join(_expression(pattern.lower()) for pattern in (*_LOCAL, *_APPS, *extra)))

    def allows(self, origin: str, host_header: str) -> bool:
        """Return whether pages of an origin may call; the server's own pages may."""
        return bool(self._pattern.fullmatch(origin.lower())) or _host_of(origin) == host_header.lower()


def _host_of(origin: str) -> str | None:
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:
        # A bracket that is not closed.
        return None


def _expression(pattern: str) -> str:
    """Return the regular expression of a pattern: `*` is anything, and a port when it stands for one."""
    escaped = re.escape(pattern.removesuffix(":*")).replace(r"\*", ".*")
    return escaped + ("(:[0-9]+)?" if pattern.endswith(":*") else "")


def headers_for(origin: str) -> list[tuple[bytes, bytes]]:
    """Return the headers of an answer to an allowed origin."""
    return [
        (b"access-control-allow-origin", origin.encode("latin-1")),
        (b"access-control-expose-headers", _EXPOSED_HEADERS.encode()),
        (b"vary", b"Origin"),
    ]


def preflight_headers(origin: str) -> list[tuple[bytes, bytes]]:
    """Return the headers of the answer to a browser's question before a call."""
    return [
        *headers_for(origin),
        (b"access-control-allow-methods", b"GET, POST, HEAD, DELETE, OPTIONS"),
        (b"access-control-allow-headers", _ALLOWED_HEADERS.encode()),
        (b"access-control-max-age", b"43200"),
    ]
