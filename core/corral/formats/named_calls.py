"""Read calls whose name stands in a header before their arguments: `name<sep>{"a": 1}<end>`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from corral.events import CallStatus
from corral.formats.gbnf import literal
from corral.formats.json_calls import STATUS, arguments_rule, arguments_text
from corral.formats.json_reader import JSON, read_json
from corral.formats.scanner import TagScanner

if TYPE_CHECKING:
    from corral.formats.call_site import CallSite, CallWriter
    from corral.formats.gbnf import Rules
    from corral.formats.json_reader import Dialect
    from corral.formats.machine import CallSyntax
    from corral.formats.schema import ToolSchemas
    from corral.formats.source import Steps

#: Longer headers are none.
MAX_HEADER = 256

_FENCE = TagScanner(["```json", "```"])
_WHOLE = re.compile(r"(?P<name>.*)", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedCalls:
    """The literals around a call's name and its JSON arguments.

    The header runs to one of `name_ends`; `name` finds the name in it (a group of that name). `arguments_open` stands
    before the arguments when more than the name is in the header. Arguments may stand in a fenced block. `close` is empty
    when the JSON's own end is the call's end. `instead` reads what begins with a bracket or a brace in place of a name.
    `only_declared` takes a header that names no declared tool for text.
    """

    name_ends: tuple[str, ...]
    name: re.Pattern[str] = _WHOLE
    arguments_open: str = ""
    close: str = ""
    dialect: Dialect = JSON
    only_declared: bool = False
    instead: CallSyntax | None = None
    #: How a name is written in the header.
    written: str = "%s"

    def read(self, site: CallSite) -> Steps[None]:
        """Read one call."""
        yield from site.source.skip_space()
        if self.instead is not None and (yield from site.source.peek()) in ("[", "{"):
            yield from self.instead.read(site)
            return
        name = yield from self._header(site)
        if not name or (self.only_declared and not site.tools.declares(name)):
            return
        call = site.open(name)
        yield from self._arguments(site, call)
        yield from self._end(site, call)
        call.close()

    def rule(self, rules: Rules, tools: ToolSchemas, name: str) -> str:
        """Return the expression for a header and its arguments."""
        end = self.arguments_open or self.name_ends[0]
        return f"{literal(self.written.replace('%s', name) + end)} {arguments_rule(rules, tools, name)}"

    def _header(self, site: CallSite) -> Steps[str]:
        source = site.source
        header, end = yield from source.text_until(TagScanner([*self.name_ends, self.close]), MAX_HEADER)
        if not end or (end == self.close and end not in self.name_ends):
            return ""
        found = self.name.fullmatch(header.strip())
        name = found["name"].strip() if found else ""
        if not name or "\n" in name:
            return ""
        if end != "{":
            source.take(len(end))
        if self.arguments_open and end not in ("{", self.arguments_open):
            _, end = yield from source.text_until(TagScanner([self.arguments_open]), MAX_HEADER)
            source.take(len(end))
        return name

    def _arguments(self, site: CallSite, call: CallWriter) -> Steps[None]:
        source = site.source
        yield from source.skip_space()
        fence = yield from source.expect(_FENCE)
        yield from source.skip_space()
        first = yield from source.peek()
        if first == "{":
            outcome = yield from read_json(source, call.write, self.dialect)
            call.note(STATUS[outcome])
        elif not first:
            call.note(CallStatus.TRUNCATED)
        elif first == '"':
            yield from self._quoted_arguments(site, call)
        if fence:
            yield from source.skip_space()
            yield from source.expect(_FENCE)

    def _quoted_arguments(self, site: CallSite, call: CallWriter) -> Steps[None]:
        pieces: list[str] = []
        outcome = yield from read_json(site.source, pieces.append)
        text = arguments_text("".join(pieces))
        call.note(STATUS[outcome] if text else CallStatus.MALFORMED)
        call.write(text or "{}")

    def _end(self, site: CallSite, call: CallWriter) -> Steps[None]:
        """Read the closing tag; what stands before it is not understood."""
        if not self.close:
            return
        rest, close = yield from site.source.text_until(TagScanner([self.close]))
        site.source.take(len(close))
        if not close:
            call.note(CallStatus.TRUNCATED)
        elif rest.strip():
            call.note(CallStatus.MALFORMED)
