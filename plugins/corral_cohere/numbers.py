"""Number the calls of a conversation, and find the number that a result answers."""

from __future__ import annotations


class CallNumbers:
    """Counts calls from 0, and remembers which of them wait for a result."""

    def __init__(self) -> None:
        self._count = 0
        self._waiting: list[tuple[str, int]] = []

    def of_call(self, call_id: str) -> int:
        """Return the number of the next call."""
        self._waiting.append((call_id, self._count))
        self._count += 1
        return self._count - 1

    def of_result(self, call_id: str) -> str:
        """Return the number of the call with that id, or of the one that waits longest; "" if none waits."""
        if not self._waiting:
            return ""
        found = next((waiting for waiting in self._waiting if call_id and waiting[0] == call_id), self._waiting[0])
        self._waiting.remove(found)
        return str(found[1])
