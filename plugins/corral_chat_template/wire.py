"""Carry requests to the process that renders templates, and its answers back."""

from __future__ import annotations

import socket  # noqa: TC003 - msgspec reads annotations at run time
from struct import Struct as Layout
from typing import TypeAlias

import msgspec

_LENGTH = Layout("!I")


class Render(msgspec.Struct, array_like=True, frozen=True):
    """Render a template once per set of variables; `now` is an ISO time for templates that ask the clock."""

    template: str
    now: str
    renders: list[dict[str, object]]
    #: Roles whose names the template may put into its own tags.
    roles: list[str]


class Rendered(msgspec.Struct, array_like=True, frozen=True, tag="rendered"):
    """A rendered text in runs; each says whether the template wrote it."""

    runs: list[tuple[str, bool]]


class Failed(msgspec.Struct, array_like=True, frozen=True, tag="failed"):
    """Why a render failed, at which line of the template (0: unknown), and whether a limit stopped it."""

    message: str
    line: int
    limit: bool = False


Answer: TypeAlias = Rendered | Failed


def send(channel: socket.socket, message: bytes) -> None:
    """Send one message, its length first."""
    channel.sendall(_LENGTH.pack(len(message)) + message)


def receive(channel: socket.socket, limit: int) -> bytes | None:
    """Return the next message; None when the other side is gone, or sends more bytes than it may."""
    header = _receive_exactly(channel, _LENGTH.size)
    if header is None or _LENGTH.unpack(header)[0] > limit:
        return None
    return _receive_exactly(channel, _LENGTH.unpack(header)[0])


def _receive_exactly(channel: socket.socket, size: int) -> bytes | None:
    buffer = bytearray(size)
    view = memoryview(buffer)
    at = 0
    while at < size:
        count = channel.recv_into(view[at:])
        if count == 0:
            return None
        at += count
    return bytes(buffer)
