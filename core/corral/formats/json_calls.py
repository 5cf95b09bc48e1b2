"""Read calls that are JSON objects with a name and arguments: `{"name": "f", "arguments": {...}}`, alone or in a list."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from corral.events import CallStatus
from corral.formats.gbnf import literal
from corral.formats.json_reader import read_json
from corral.formats.json_strings import Outcome
from corral.formats.scanner import TagScanner
from corral.formats.schema_grammar import schema_rule
from corral.formats.source import Source
from corral.formats.strict_json import dump_json, load_json, load_object

if TYPE_CHECKING:
    from corral.formats.call_site import CallSite, CallWriter
    from corral.formats.gbnf import Rules
    from corral.formats.schema import ToolSchemas
    from corral.formats.source import Steps

STATUS = {
    Outcome.OK: CallStatus.OK,
    Outcome.REPAIRED: CallStatus.REPAIRED,
    Outcome.TRUNCATED: CallStatus.TRUNCATED,
    Outcome.MALFORMED: CallStatus.MALFORMED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class JsonCalls:
    """The keys of a call's object, and the tag that closes one object or one list of them.

    `close` is empty when the JSON's own end is the call's end. `several` allows more calls before `close`, with a comma,
    a semicolon or nothing between them. `only_declared` takes objects that name no declared tool for text.
    """

    name_keys: tuple[str, ...] = ("name",)
    argument_keys: tuple[str, ...] = ("arguments", "parameters")
    other_keys: tuple[str, ...] = ("id", "type", "tool_call_id")
    #: A key whose value is the object of name and arguments (`{"function": {...}}`).
    nested_keys: tuple[str, ...] = ("function",)
    close: str = ""
    several: bool = True
    only_declared: bool = False

    def read(self, site: CallSite) -> Steps[None]:
        """Read one object or a list of objects, and the closing tag."""
        yield from _CallsReader(self, site).read()

    def rule(self, rules: Rules, tools: ToolSchemas, name: str) -> str:
        """Return the expression for a call's object."""
        lead = f'{{"{self.name_keys[0]}": {dump_json(name)}, "{self.argument_keys[0]}": '
        return f"{literal(lead)} {arguments_rule(rules, tools, name)} {literal('}')}"


def arguments_rule(rules: Rules, tools: ToolSchemas, name: str) -> str:
    """Return the expression for the JSON object of a tool's arguments."""
    schema = tools.parameters(name)
    path = f"tools.{name}.parameters"
    return schema_rule(rules, schema, path) if schema else literal("{}")


class _CallsReader:
    """Reads the calls between one opening tag and its close."""

    def __init__(self, syntax: JsonCalls, site: CallSite) -> None:
        self._syntax = syntax
        self._site = site
        self._source = site.source
        self._close = TagScanner([syntax.close])
        self._is_list = False

    def read(self) -> Steps[None]:
        yield from self._source.skip_space()
        first = yield from self._source.peek()
        if first == "[":
            self._source.take(1)
            self._is_list = True
        call = yield from self._next_call()
        while call is not None:
            call = yield from self._after(call)

    def _next_call(self) -> Steps[CallWriter | None]:
        yield from self._source.skip_space()
        if (yield from self._source.peek()) != "{":
            return None
        reader = _ObjectReader(self._syntax, self._site)
        outcome = yield from reader.read()
        if reader.call is None:
            return None
        reader.call.note(STATUS[outcome])
        if outcome is Outcome.MALFORMED and self._syntax.close:
            yield from self._source.text_until(self._close)
        return reader.call

    def _after(self, call: CallWriter) -> Steps[CallWriter | None]:
        """End a call; return the next one before the close."""
        if self._is_list:
            call.close()
            return (yield from self._next_in_list())
        if not self._syntax.close:
            call.close()
            return (yield from self._next_bare())
        yield from self._source.skip_space()
        if (yield from self._source.expect(self._close)):
            call.close()
            return None
        first = yield from self._source.peek()
        if self._syntax.several and first and first in "{,;":
            call.close()
            self._source.take(0 if first == "{" else 1)
            return (yield from self._next_call())
        call.note(CallStatus.REPAIRED if first else CallStatus.TRUNCATED)
        call.close()
        return None

    def _next_in_list(self) -> Steps[CallWriter | None]:
        yield from self._source.skip_space()
        first = yield from self._source.peek()
        if first == "]":
            self._source.take(1)
            yield from self._source.skip_space()
            yield from self._source.expect(self._close)
            self._site.skip_layout(self._syntax.close)
            return None
        if first == ",":
            self._source.take(1)
        return (yield from self._next_call())

    def _next_bare(self) -> Steps[CallWriter | None]:
        if not self._syntax.several:
            return None
        behind = yield from self._source.follows(0, _SEPARATOR)
        if behind not in _SEPARATOR.tags:
            return None
        yield from self._source.skip_space()
        self._source.take(1)
        return (yield from self._next_call())


_SEPARATOR = TagScanner([";", ","])


class _ObjectReader:
    """Reads one call's object. `call` is set once the name is known."""

    def __init__(self, syntax: JsonCalls, site: CallSite) -> None:
        self.call: CallWriter | None = None
        self._syntax = syntax
        self._site = site
        self._source = site.source
        self._early_arguments: str | None = None
        self._has_arguments = False

    def read(self) -> Steps[Outcome]:
        """Read the object from its opening brace on."""
        self._source.take(1)
        while True:
            yield from self._source.skip_space()
            first = yield from self._source.peek()
            if first == "}" or first == ",":
                self._source.take(1)
                if first == "}":
                    return Outcome.OK
                continue
            outcome = yield from self._member(first)
            if outcome > Outcome.REPAIRED:
                return outcome

    def _member(self, quote: str) -> Steps[Outcome]:
        if quote not in ('"', "'"):
            return Outcome.MALFORMED if quote else Outcome.TRUNCATED
        outcome, key = yield from self._text_value()
        yield from self._source.skip_space()
        colon = yield from self._source.peek()
        if outcome > Outcome.REPAIRED or colon != ":":
            return Outcome.MALFORMED if colon else Outcome.TRUNCATED
        self._source.take(1)
        yield from self._source.skip_space()
        return (yield from self._value(key))

    def _value(self, key: str) -> Steps[Outcome]:
        syntax = self._syntax
        if key in syntax.name_keys and self.call is None:
            return (yield from self._name())
        if key in syntax.argument_keys and not self._has_arguments:
            return (yield from self._arguments())
        if key in syntax.nested_keys and (yield from self._source.peek()) == "{":
            return (yield from self.read())
        if syntax.only_declared and self.call is None and key not in syntax.other_keys:
            return Outcome.MALFORMED
        outcome, _ = yield from self._json_value()
        return outcome

    def _name(self) -> Steps[Outcome]:
        outcome, name = yield from self._text_value()
        if outcome > Outcome.REPAIRED or not name:
            return max(outcome, Outcome.MALFORMED)
        if self._syntax.only_declared and not self._site.tools.declares(name):
            return Outcome.MALFORMED
        self.call = self._site.open(name)
        if self._early_arguments is not None:
            self._write_whole(self._early_arguments)
        return outcome

    def _arguments(self) -> Steps[Outcome]:
        self._has_arguments = True
        if self.call is not None and (yield from self._source.peek()) == "{":
            return (yield from read_json(self._source, self.call.write))
        outcome, text = yield from self._json_value()
        if self.call is None:
            self._early_arguments = text
        else:
            self._write_whole(text)
        return outcome

    def _write_whole(self, text: str) -> None:
        """Write arguments that are complete: an object, an object written as a string, or nothing."""
        assert self.call is not None
        json = arguments_text(text)
        self.call.write(json or "{}")
        if json is None:
            self.call.note(CallStatus.MALFORMED)

    def _text_value(self) -> Steps[tuple[Outcome, str]]:
        outcome, text = yield from self._json_value()
        try:
            value = load_json(text)
        except ValueError:
            return Outcome.MALFORMED, ""
        return (outcome, value) if isinstance(value, str) else (Outcome.MALFORMED, "")

    def _json_value(self) -> Steps[tuple[Outcome, str]]:
        pieces: list[str] = []
        outcome = yield from read_json(self._source, pieces.append)
        return outcome, "".join(pieces)


def arguments_text(text: str) -> str | None:
    """Return the JSON text of an arguments object; None when it is something else."""
    if text.startswith('"'):
        inner = load_json(text)
        assert isinstance(inner, str)
        if inner.strip() and not repair_json(inner):
            return None
        text = repair_json(inner)
    if text in ("", "null"):
        return "{}"
    return text if text.startswith("{") and load_object(text) is not None else None


def repair_json(text: str) -> str:
    """Return the JSON value that stands at the beginning of a whole text, in strict form; "" if there is none."""
    source = Source()
    source.push(text)
    source.closed = True
    pieces: list[str] = []
    for _ in read_json(source, pieces.append):
        break
    return "".join(pieces)
