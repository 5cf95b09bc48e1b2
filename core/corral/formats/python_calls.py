"""Read calls written as Python: `[f(a='x', b=[1, True]), g()]`. The text is read as data; nothing is evaluated."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from corral.events import CallStatus
from corral.formats.gbnf import literal
from corral.formats.json_calls import STATUS
from corral.formats.json_reader import Dialect, read_json
from corral.formats.json_strings import Outcome
from corral.formats.member_grammar import in_order
from corral.formats.scanner import TagScanner
from corral.formats.schema_grammar import schema_rule
from corral.formats.xml_values import ArgumentsWriter

if TYPE_CHECKING:
    from corral.formats.call_site import CallSite
    from corral.formats.gbnf import Rules
    from corral.formats.schema import ToolSchemas
    from corral.formats.source import Steps

_PYTHON = Dialect(python=True)
_NAME = re.compile(r"[\w.\-]*")
_KEYWORD = re.compile(r"\w*")


@dataclass(frozen=True, slots=True, kw_only=True)
class PythonCalls:
    """Calls in a list, or one a line; `close` is empty when the list's own end is the end.

    `only_declared` takes names of no declared tool for text.
    """

    close: str = ""
    only_declared: bool = False

    def read(self, site: CallSite) -> Steps[None]:
        """Read the calls up to the end of the list, or the closing tag."""
        source = site.source
        yield from source.skip_space()
        is_list = (yield from source.peek()) == "["
        source.take(1 if is_list else 0)
        while (yield from self._call(site)):
            yield from source.skip_space()
            if (yield from source.peek()) in (",", ";"):
                source.take(1)
        yield from source.skip_space()
        if is_list and (yield from source.peek()) == "]" and site.has_calls:
            source.take(1)
            yield from source.skip_space()
        if site.has_calls:
            yield from source.expect(TagScanner([self.close]))
            site.skip_layout(self.close)

    def rule(self, rules: Rules, tools: ToolSchemas, name: str) -> str:
        """Return the expression for a call with keyword arguments, whose values are written as JSON."""
        path = f"tools.{name}.parameters.properties"
        root = tools.parameters(name)
        values = {key: schema_rule(rules, schema, f"{path}.{key}", root) for key, schema in tools.properties(name).items()}
        members = [(f"{literal(f'{key}=')} {value}", key in tools.required(name)) for key, value in values.items()]
        return f"{literal(f'{name}(')} {in_order(rules, members)} {literal(')')}"

    def _call(self, site: CallSite) -> Steps[bool]:
        source = site.source
        yield from source.skip_space()
        name = yield from source.match(_NAME)
        if not name or (yield from source.peek()) != "(" or (self.only_declared and not site.tools.declares(name)):
            return False
        source.take(1)
        call = site.open(name)
        arguments = ArgumentsWriter(call)
        outcome = Outcome.OK
        while outcome < Outcome.TRUNCATED:
            yield from source.skip_space()
            first = yield from source.peek()
            if first == ")":
                source.take(1)
                break
            if first == ",":
                source.take(1)
                continue
            outcome = yield from self._argument(site, arguments, first)
            call.note(STATUS[outcome])
        arguments.close()
        return outcome < Outcome.TRUNCATED

    def _argument(self, site: CallSite, arguments: ArgumentsWriter, first: str) -> Steps[Outcome]:
        source = site.source
        if not first:
            return Outcome.TRUNCATED
        key = ""
        if first.isalpha() or first == "_":
            key = yield from source.match(_KEYWORD)
            yield from source.skip_space()
            if (yield from source.peek()) != "=":
                return Outcome.TRUNCATED if source.at_end else Outcome.MALFORMED
            source.take(1)
        key = key or _positional(site, arguments)
        if not key or key in arguments.seen:
            arguments.call.note(CallStatus.REPAIRED if key else CallStatus.COERCION_FAILED)
            return (yield from read_json(source, lambda _: None, _PYTHON))
        return (yield from read_json(source, arguments.member(key), _PYTHON))


def _positional(site: CallSite, arguments: ArgumentsWriter) -> str:
    """Return the first declared parameter that has no value yet; "" if there is none."""
    return next((name for name in site.tools.properties(arguments.call.name) if name not in arguments.seen), "")
