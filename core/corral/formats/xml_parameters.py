"""Find where one parameter's value ends, although the value may show the format's own tags."""

from __future__ import annotations

from typing import TYPE_CHECKING

from corral.events import CallStatus
from corral.formats.names import name_ahead, read_name
from corral.formats.scanner import TagScanner
from corral.formats.xml_values import ValueWriter

if TYPE_CHECKING:
    from collections.abc import Callable

    from corral.formats.call_site import CallSite
    from corral.formats.schema import ParameterType
    from corral.formats.source import Steps
    from corral.formats.xml_calls import XmlCalls
    from corral.formats.xml_values import ArgumentsWriter


class ParameterReader:
    """Reads the parameters of one function."""

    def __init__(self, syntax: XmlCalls, site: CallSite, arguments: ArgumentsWriter) -> None:
        self._syntax = syntax
        self._site = site
        self._source = site.source
        self._arguments = arguments
        self._keys = {head.open for head in syntax.parameters}
        self._functions = {head.open for head in syntax.functions if head.open}
        self._value_open = TagScanner([syntax.value_open])
        self._in_value = TagScanner([syntax.parameter_close, syntax.function_close, *self._keys, *self._functions])
        self._behind_parameter = TagScanner([*self._keys, syntax.function_close, syntax.close])
        self._behind_function = TagScanner([syntax.close])
        self._nested: list[str] = []
        self._at_line_start = True

    def read(self, tag: str) -> Steps[bool]:
        """Read a parameter from its opening tag on; return whether it was whole."""
        self._source.take(len(tag))
        key, end = yield from read_name(self._source, [head.end for head in self._syntax.parameters if head.open == tag])
        if key and self._syntax.value_open:
            yield from self._source.skip_space()
            yield from self._source.expect(self._value_open)
        if not key:
            self._arguments.call.note(CallStatus.REPAIRED)
            return not self._source.at_end
        kind = next((head.kind for head in self._syntax.parameters if head.open == tag and head.end == end), None)
        return (yield from self._value(key, kind))

    def _value(self, key: str, stated: ParameterType | None) -> Steps[bool]:
        kind = stated or self._site.tools.parameter_type(self._arguments.call.name, key)
        if key in self._arguments.seen:
            return (yield from self._duplicate(key))
        value = ValueWriter(self._arguments, key, kind, one_newline=self._syntax.one_newline)
        is_whole = yield from self._text(key, value.feed)
        if is_whole:
            value.finish()
        else:
            value.abandon()
        return is_whole

    def _duplicate(self, key: str) -> Steps[bool]:
        """Read a parameter that was given before: what was sent can't be taken back, so the first one counts."""
        pieces: list[str] = []
        is_whole = yield from self._text(key, pieces.append)
        self._arguments.call.note(CallStatus.REPAIRED)
        self._site.writer.diagnose("duplicate_parameter", f"parameter '{key}' was given twice; the first one counts", "".join(pieces))
        return is_whole

    def _text(self, key: str, sink: Callable[[str], None]) -> Steps[bool]:
        self._nested.clear()
        self._at_line_start = True

        def write(text: str) -> None:
            self._at_line_start = text.endswith("\n")
            sink(text)

        while True:
            tag = yield from self._source.until(self._in_value, write)
            if not tag:
                return False
            ends = yield from self._ends_at(tag, key)
            if ends:
                return True
            write(self._source.take(len(tag)))

    def _ends_at(self, tag: str, key: str) -> Steps[bool]:
        """Decide whether the value ends at a tag; if so, read its own closing tag."""
        if tag == self._syntax.parameter_close:
            return (yield from self._closes())
        if tag == self._syntax.function_close:
            return (yield from self._function_closes())
        if not self._at_line_start:
            return False
        if tag in self._functions:
            self._nested.append("function")
            return False
        return (yield from self._next_parameter(tag, key))

    def _closes(self) -> Steps[bool]:
        close = self._syntax.parameter_close
        behind = yield from self._source.follows(len(close), self._behind_parameter)
        if self._nested and self._nested[-1] == "parameter":
            self._nested.pop()
            if behind != self._syntax.function_close or "function" in self._nested:
                return False
        if not behind or self._nested:
            return False
        self._source.take(len(close))
        return True

    def _function_closes(self) -> Steps[bool]:
        if "function" in self._nested:
            while self._nested.pop() != "function":
                continue
            return False
        behind = yield from self._source.follows(len(self._syntax.function_close), self._behind_function)
        if behind:
            self._arguments.call.note(CallStatus.REPAIRED)
        return bool(behind)

    def _next_parameter(self, tag: str, key: str) -> Steps[bool]:
        """Decide whether a parameter's tag at the start of a line begins the next parameter (the close was forgotten)."""
        ends = [head.end for head in self._syntax.parameters if head.open == tag]
        name = yield from name_ahead(self._source, len(tag), ends)
        known = self._site.tools.properties(self._arguments.call.name)
        if self._nested or name not in known or name == key or name in self._arguments.seen:
            self._nested.append("parameter")
            return False
        self._arguments.call.note(CallStatus.REPAIRED)
        return True
