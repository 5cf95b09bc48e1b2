"""Write one parameter's value while a model is still writing it: text as it comes, other types when they are complete."""

from __future__ import annotations

from typing import TYPE_CHECKING

from corral.formats.schema import coerce
from corral.formats.strict_json import dump_json, escape_json

if TYPE_CHECKING:
    from collections.abc import Callable

    from corral.formats.call_site import CallWriter
    from corral.formats.schema import ParameterType


#: Longer text is no null, whatever white space is around it; so a flood of white space is not looked at again and again.
MAX_NULL = 64


class ArgumentsWriter:
    """Writes parameters as the members of one JSON object."""

    def __init__(self, call: CallWriter) -> None:
        self.call = call
        self.seen: set[str] = set()

    def lead(self, key: str) -> str:
        """Return the text before a member's value."""
        lead = ", " if self.seen else "{"
        self.seen.add(key)
        return f"{lead}{dump_json(key)}: "

    def member(self, key: str) -> Callable[[str], None]:
        """Return a function that writes one member's value, piece by piece; without a piece there is no member."""
        is_new = True

        def write(json: str) -> None:
            nonlocal is_new
            self.call.write(self.lead(key) + json if is_new else json)
            is_new = False

        return write

    def close(self) -> None:
        """Write the end of the object."""
        self.call.write("}" if self.seen else "{}")
        self.call.close()


class ValueWriter:
    """Writes one value. With `one_newline`, one newline at each end belongs to the layout."""

    def __init__(self, arguments: ArgumentsWriter, key: str, kind: ParameterType, *, one_newline: bool) -> None:
        self._arguments = arguments
        self._key = key
        self._kind = kind
        self._one_newline = one_newline
        self._is_first = True
        self._has_newline = False
        self._is_streaming = False
        self._kept: list[str] = []

    def feed(self, text: str) -> None:
        """Take the next piece of the value's text."""
        if self._one_newline:
            text = self._without_layout(text)
        if not text:
            return
        if self._is_streaming:
            self._arguments.call.write(escape_json(text))
            return
        self._kept.append(text)
        if self._kind.is_text and not self._may_be_null():
            self._start_streaming()

    def finish(self) -> None:
        """Take the end of the value."""
        if self._is_streaming:
            self._arguments.call.write('"')
            return
        value = coerce("".join(self._kept), self._kind)
        self._arguments.call.note(value.status)
        self._arguments.call.write(self._arguments.lead(self._key) + value.json)

    def abandon(self) -> None:
        """Take the end of an answer that stops inside the value; only text can be kept."""
        if self._has_newline and self._is_streaming:
            self._arguments.call.write("\\n")
        if self._kind.is_text and not self._is_streaming:
            self._start_streaming()
        if self._is_streaming:
            self._arguments.call.write('"')

    def _start_streaming(self) -> None:
        self._is_streaming = True
        text = "".join(self._kept)
        self._kept.clear()
        self._arguments.call.write(f'{self._arguments.lead(self._key)}"{escape_json(text)}')

    def _may_be_null(self) -> bool:
        """Return whether the text so far may turn out to be null, which no string may precede."""
        text = "".join(self._kept)
        if len(text) > MAX_NULL:
            return False
        if not self._kind.is_known:
            return "null".startswith(text)
        text = text.strip()
        return self._kind.admits_null and ("null".startswith(text.lower()) or "None".startswith(text))

    def _without_layout(self, text: str) -> str:
        if self._is_first and text:
            self._is_first = False
            text = text.removeprefix("\n")
        if self._has_newline and text:
            text = "\n" + text
            self._has_newline = False
        if text.endswith("\n"):
            self._has_newline = True
            text = text[:-1]
        return text
