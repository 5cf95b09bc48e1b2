"""Which API keys a server knows: a file of hashes that can change while it runs, and one key of the environment."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import TYPE_CHECKING

import msgspec

from corral.errors import InvalidInput, NotFound, StoreError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

#: The variable with a key that may do everything.
VARIABLE = "CORRAL_API_KEY"


class Scope(Enum):
    """What a key may do. ADMIN includes the others."""

    INFER = "infer"
    READ = "read"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """A key without its secret; `digest` is the secret's SHA-256 in hex, enough for a random secret of 256 bits."""

    id: str
    name: str
    digest: str
    scopes: tuple[Scope, ...]
    created_at: str

    def may(self, scope: Scope) -> bool:
        """Return whether the key allows something."""
        return scope in self.scopes or Scope.ADMIN in self.scopes


class KeyFile:
    """The keys of one server. Reads the file again when it has changed, so that revoking works at once."""

    def __init__(self, path: Path, *, secret: str = "") -> None:
        self._path = path
        self._fixed = (_key(secret, VARIABLE, (Scope.ADMIN,)),) if secret else ()
        self._stamp: tuple[int, int] | None = None
        self._stored: tuple[Key, ...] = ()

    def keys(self) -> tuple[Key, ...]:
        """Return all keys; none means that the server asks for none."""
        stamp = _stamp(self._path)
        if stamp != self._stamp:
            self._stored = _read(self._path)
            self._stamp = stamp
        return (*self._stored, *self._fixed)

    def find(self, secret: str) -> Key | None:
        """Return the key with that secret, comparing with every key in constant time."""
        digest = _digest(secret)
        found = None
        for key in self.keys():
            if hmac.compare_digest(key.digest, digest):
                found = key
        return found

    def add(self, name: str, scopes: Iterable[Scope]) -> tuple[Key, str]:
        """Store a new key and return it with its secret, which is told this once only."""
        if any(key.name == name for key in _read(self._path)):
            raise InvalidInput(f"there is a key named '{name}' already; revoke it first, or choose another name")
        secret = f"corral_{secrets.token_urlsafe(32)}"
        key = _key(secret, name, tuple(dict.fromkeys(scopes)))
        _write(self._path, (*_read(self._path), key))
        return key, secret

    def revoke(self, name_or_id: str) -> Key:
        """Forget a key and return it; raise NotFound when there is none of that name or id."""
        stored = _read(self._path)
        gone = next((key for key in stored if name_or_id in (key.name, key.id)), None)
        if gone is None:
            raise NotFound(f"there is no key '{name_or_id}' (see: corral keys list)")
        _write(self._path, tuple(key for key in stored if key is not gone))
        return gone


def _key(secret: str, name: str, scopes: tuple[Scope, ...]) -> Key:
    digest = _digest(secret)
    return Key(id=digest[:8], name=name, digest=digest, scopes=scopes, created_at=datetime.now(UTC).isoformat(timespec="seconds"))


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _stamp(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    return status.st_mtime_ns, status.st_ino


def _read(path: Path) -> tuple[Key, ...]:
    try:
        return msgspec.json.decode(path.read_bytes(), type=tuple[Key, ...])
    except FileNotFoundError:
        return ()
    except (OSError, msgspec.DecodeError) as error:
        # A server that can't read its keys must not run as if there were none.
        raise StoreError(f"the file of API keys {path} can't be read: {error}") from error


def _write(path: Path, keys: tuple[Key, ...]) -> None:
    fresh = path.with_suffix(f".{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(msgspec.json.format(msgspec.json.encode(keys), indent=2))
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    except OSError as error:
        with suppress(OSError):
            fresh.unlink(missing_ok=True)
        raise StoreError(f"the file of API keys {path} can't be written: {error}") from error
