"""Tell what Mistral's formats must know of a conversation: its last question, and ids for its calls."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from corral.conversation import Message

_LENGTH = 9


def last_question(messages: Sequence[Message]) -> int:
    """Return the index of the last user's turn; -1 if there is none."""
    return max((index for index, message in enumerate(messages) if message.role == "user"), default=-1)


class CallIds:
    """Gives calls ids of nine characters, the only ones that the models know; those of other clients become numbers."""

    def __init__(self) -> None:
        self._count = 0
        self._waiting: list[tuple[str, str]] = []

    def of_call(self, call_id: str) -> str:
        """Return the id of the next call."""
        shown = call_id if len(call_id) == _LENGTH else f"{self._count:0{_LENGTH}}"
        self._count += 1
        self._waiting.append((call_id, shown))
        return shown

    def of_result(self, call_id: str) -> str:
        """Return the id of the call that a result answers: the one it names, or the one that waits longest."""
        named = [waiting for waiting in self._waiting if waiting[0] == call_id]
        candidates = named or self._waiting or [(call_id, f"{self._count:0{_LENGTH}}")]
        _, shown = answered = candidates[0]
        self._waiting = [waiting for waiting in self._waiting if waiting is not answered]
        return call_id if len(call_id) == _LENGTH else shown
