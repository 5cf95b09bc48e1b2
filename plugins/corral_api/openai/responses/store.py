"""Which responses the server remembers: a bounded number, in memory, the ones asked for last."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from corral.errors import NotFound

if TYPE_CHECKING:
    from corral.conversation import Message
    from corral_api.openai.responses.schema import ResponseOut

#: How many responses are kept, and how many characters of text all of them together.
_MOST_RESPONSES = 1000
_MOST_CHARACTERS = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Stored:
    """A response, the conversation up to its end, and the input it answered."""

    response: ResponseOut
    messages: tuple[Message, ...]
    input_items: tuple[dict[str, object], ...]

    @property
    def size(self) -> int:
        """Return the characters of the conversation; images count by their bytes."""
        return sum(len(m.content) + len(m.thinking) + sum(map(len, m.images)) for m in self.messages)


class ResponseStore:
    """The responses of one server; a restart forgets them."""

    def __init__(self) -> None:
        self._stored: OrderedDict[str, Stored] = OrderedDict()
        self._characters = 0

    def add(self, stored: Stored) -> None:
        """Remember a response, and forget the oldest ones if there are too many."""
        self._stored[stored.response.id] = stored
        self._characters += stored.size
        while len(self._stored) > _MOST_RESPONSES or (self._characters > _MOST_CHARACTERS and len(self._stored) > 1):
            _, oldest = self._stored.popitem(last=False)
            self._characters -= oldest.size

    def get(self, response_id: str) -> Stored:
        """Return a response; raise NotFound when it was never stored, or is forgotten."""
        if response_id not in self._stored:
            raise NotFound(f"there is no stored response '{response_id}' (the server keeps the last {_MOST_RESPONSES}, in memory)")
        self._stored.move_to_end(response_id)
        return self._stored[response_id]

    def remove(self, response_id: str) -> None:
        """Forget a response; raise NotFound when there is none."""
        self._characters -= self.get(response_id).size
        del self._stored[response_id]
