"""Who may ask for what: the scope that a path needs, and whether the key of a request has it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from corral.keys import Scope
from corral.serve.refusals import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from corral.keys import Key, KeyFile
    from corral.serve.mount import Mount
    from corral.spec import ApiOffer

_CHALLENGE = ((b"www-authenticate", b"Bearer"),)


class Access:
    """Decides by key and path. Whatever no offer calls open, infer or read needs a key with the scope admin.

    A server that has asked for keys once goes on asking: revoking the last one locks it, and does not open it to everybody.
    """

    def __init__(self, mount: Mount, keys: KeyFile) -> None:
        self._mount = mount
        self._keys = keys
        self._is_locked = bool(keys.keys())

    def decide(self, path: str, secret: str) -> Key | Refusal | None:
        """Return the key of a request, why it is refused, or None when no key is needed."""
        self._is_locked = self._is_locked or bool(self._keys.keys())
        if not self._is_locked:
            return None
        needed = self.needed(path)
        if needed is None:
            return None
        key = self._keys.find(secret) if secret else None
        if key is None:
            problem = "this key is unknown or revoked" if secret else "an API key is needed (Authorization: Bearer KEY)"
            return Refusal(401, problem, _CHALLENGE)
        if not key.may(needed):
            return Refusal(403, f"the key '{key.name}' lacks the scope '{needed.value}'")
        return key

    def needed(self, path: str) -> Scope | None:
        """Return the scope that a path needs; None for open paths."""
        api = self._mount.find(path)
        return needed_scope(api.offer, path) if api else Scope.ADMIN


def needed_scope(offer: ApiOffer, path: str) -> Scope | None:
    """Return the scope that a path of an API needs; None for open paths."""
    if path in offer.open_paths:
        return None
    if covers(offer.infer_paths, path):
        return Scope.INFER
    return Scope.READ if covers(offer.read_paths, path) else Scope.ADMIN


def covers(paths: Iterable[str], path: str) -> bool:
    """Return whether a path is one of the paths, or below one that ends in "/"."""
    return any(path == known or (known.endswith("/") and path.startswith(known)) for known in paths)


def presented_secret(header: Callable[[bytes], str]) -> str:
    """Return the key that a request shows, in any of the headers that clients use; empty when it shows none."""
    scheme, _, token = header(b"authorization").partition(" ")
    if scheme.lower() == "bearer" and token.strip():
        return token.strip()
    return header(b"x-api-key") or header(b"api-key")
