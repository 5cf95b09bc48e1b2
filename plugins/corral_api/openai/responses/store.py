"""Which responses the server remembers: a bounded number, in memory, the ones asked for last."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from corral.errors import NotFound

if TYPE_CHECKING:
    from corral.conversation import Message
    from corral_api.openai.responses.schema import ResponseOut

#: How many responses are kept, and how many bytes of JSON all of them would be together.
_MOST_RESPONSES = 1000
_MOST_BYTES = 64 * 1024 * 1024

_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class Stored:
    """A response, the conversation up to its end, and the input it answered."""

    response: ResponseOut
    messages: tuple[Message, ...]
    input_items: tuple[dict[str, object], ...]


class ResponseStore:
    """The responses of one server; a restart forgets them."""

    def __init__(self) -> None:
        #: With the bytes of each: all of it counts, the tools and the calls too.
        self._stored: OrderedDict[str, tuple[Stored, int]] = OrderedDict()
        self._bytes = 0

    def add(self, stored: Stored) -> None:
        """Remember a response, and forget the oldest ones if there are too many."""
        size = len(_encode((stored.response, stored.messages, stored.input_items)))
        self._stored[stored.response.id] = (stored, size)
        self._bytes += size
        while len(self._stored) > _MOST_RESPONSES or (self._bytes > _MOST_BYTES and len(self._stored) > 1):
            _, (_, oldest) = self._stored.popitem(last=False)
            self._bytes -= oldest

    def get(self, response_id: str) -> Stored:
        """Return a response; raise NotFound when it was never stored, or is forgotten."""
        if response_id not in self._stored:
            raise NotFound(f"there is no stored response '{response_id}' (the server keeps the last {_MOST_RESPONSES}, in memory)")
        self._stored.move_to_end(response_id)
        return self._stored[response_id][0]

    def remove(self, response_id: str) -> None:
        """Forget a response; raise NotFound when there is none."""
        self.get(response_id)
        _, size = self._stored.pop(response_id)
        self._bytes -= size
