"""Which requests came, written so that they can be sent again."""

from __future__ import annotations

import asyncio
import base64
import logging
import os
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import MutableMapping
    from pathlib import Path

    from corral.api import Receive

_log = logging.getLogger("corral.serve")

#: A body of more bytes than this is written as its size only; uploads of models are among them.
_MOST_BYTES = 4 * 1024 * 1024


class Entry(msgspec.Struct, omit_defaults=True):
    """One request: when it came, what it asked, and how it was answered. Keys are never written."""

    time: str
    id: str
    method: str
    path: str
    status: int
    content_type: str = ""
    body: str = ""
    #: The body in base64, when it is not text.
    data: str = ""
    size: int = 0

    def content(self) -> bytes:
        """Return the body; empty when it was too large to keep."""
        return base64.b64decode(self.data) if self.data else self.body.encode()


class Recorder:
    """A receive that keeps the body that passes through it."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._kept = bytearray()
        self.size = 0

    async def __call__(self) -> MutableMapping[str, Any]:
        """Return the next message."""
        message = await self._receive()
        body = message.get("body", b"")
        self.size += len(body)
        if self.size <= _MOST_BYTES:
            self._kept += body
        return message

    @property
    def body(self) -> bytes:
        """Return the body; empty when it is too large to keep."""
        return bytes(self._kept) if self.size <= _MOST_BYTES else b""


class Journal:
    """A file with one JSON entry per line."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def write(self, entry: Entry, body: bytes) -> None:
        """Append an entry with its body; whoever is cancelled meanwhile, it is written."""
        try:
            complete = msgspec.structs.replace(entry, body=body.decode())
        except UnicodeDecodeError:
            complete = msgspec.structs.replace(entry, data=base64.b64encode(body).decode())
        await asyncio.shield(asyncio.to_thread(self._try_append, complete))

    def _try_append(self, entry: Entry) -> None:
        try:
            self._append(msgspec.json.encode(entry) + b"\n")
        except OSError as error:
            # The request was answered; that nobody can repeat it is no reason to break the connection.
            _log.warning("request %s is not in the request log: %s", entry.id, error)

    def _append(self, line: bytes) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        # What people ask is nobody else's business on this machine.
        with open(self._path, "ab", opener=partial(os.open, mode=0o600)) as file:
            file.write(line)


def read_journal(path: Path) -> list[Entry]:
    """Return the entries of a journal; raise msgspec.DecodeError for a line that is none."""
    decoder = msgspec.json.Decoder(Entry)
    return [decoder.decode(line) for line in path.read_bytes().splitlines() if line.strip()]
