"""Infer from rendered calls how a model writes them: as JSON, as a name with JSON, with tagged parameters, or as Python."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final

from corral.events import CallStatus, ToolCallEnd
from corral.formats import Format, Head, JsonCalls, NamedCalls, On, PythonCalls, Sink, State, XmlCalls
from corral_chat_template.call_layout import CallFormat, Layout, lay_out, shared_end, shared_start
from corral_chat_template.probes import ARGUMENTS, ID_START, TOOLS, declared_tools

if TYPE_CHECKING:
    from collections.abc import Iterator

    from corral.conversation import Json, JsonObject
    from corral_chat_template.traits import Calls

_TAG: Final = re.compile(r"<[^<>]+>|\[/?[A-Z_]+\]")
_BRACKET: Final = re.compile(r"[{\[]")


def infer_calls(calls: Calls) -> CallFormat | None:
    """Return how calls are written and read; None unless that reads the template's own calls back."""
    candidates = (_json(calls), _named(calls), _tagged(calls), _python(calls))
    return next((found for found in candidates if found is not None and _reads_back(found, calls)), None)


def _reads_back(found: CallFormat, calls: Calls) -> bool:
    expected = list(zip(TOOLS, ARGUMENTS, strict=True))
    texts = [(calls.one, expected[:1]), (calls.bare, [(TOOLS[0], {})])]
    if all(name in calls.two for name in TOOLS):
        texts.append((calls.two, expected))
    return all(_read(found, text) == wanted for text, wanted in texts)


def _read(found: CallFormat, text: str) -> list[tuple[str, JsonObject]]:
    states = {"content": State(Sink.CONTENT, found.actions()), **found.states()}
    parser = Format(states).parser(declared_tools())
    events = [*parser.feed(text), *parser.finish("stop")]
    return [(event.name, event.arguments) for event in events if isinstance(event, ToolCallEnd) and event.status is CallStatus.OK]


def _json(calls: Calls) -> CallFormat | None:
    """Read calls as JSON values that hold name and arguments."""
    for start, end, value in _json_values(calls.one):
        is_list = isinstance(value, list) and bool(value)
        keys = _keys(value[0] if isinstance(value, list) and value else value)
        if keys is None:
            continue
        name_key, argument_key, others = keys
        opening, closing = calls.one[:start].strip(), calls.one[end:].strip()
        syntax = JsonCalls(
            name_keys=(name_key,), argument_keys=(argument_key,), other_keys=others, close=closing, only_declared=not opening
        )
        on = On(opening, call=syntax) if opening else On(calls.one[start], call=syntax, rewind=True, at_start=True)
        body = (calls.one.index("{", start), calls.one.rindex("}", start, end) + 1) if is_list else (start, end)
        return CallFormat(on=on, grammar=lay_out(calls, *body).grammar(syntax))
    return None


def _keys(call: Json) -> tuple[str, str, tuple[str, ...]] | None:
    """Return the keys of name and arguments, and the others."""
    if not isinstance(call, dict):
        return None
    nested = next((value for value in call.values() if isinstance(value, dict) and TOOLS[0] in value.values()), call)
    names = [key for key, value in nested.items() if value == TOOLS[0]]
    arguments = [key for key, value in nested.items() if value == ARGUMENTS[0]]
    if not names or not arguments:
        return None
    others = tuple(key for key in nested if key not in (names[0], arguments[0]))
    return names[0], arguments[0], (*others, "id", "type")


def _json_values(text: str) -> Iterator[tuple[int, int, Json]]:
    """Yield the JSON objects and lists of a text that no other one holds, with where they stand."""
    decoder = json.JSONDecoder()
    at = 0
    while found := _BRACKET.search(text, at):
        try:
            value, at = decoder.raw_decode(text, found.start())
        except ValueError:
            at = found.end()
        else:
            yield found.start(), at, value


def _named(calls: Calls) -> CallFormat | None:
    """Read calls as a name in plain text before its JSON arguments."""
    first = next(((start, end) for start, end, value in _json_values(calls.one) if value == ARGUMENTS[0]), None)
    if first is None or TOOLS[0] not in calls.one[: first[0]]:
        return None
    start, end = calls.one.rindex(TOOLS[0], 0, first[0]), first[1]
    layout = lay_out(calls, start, end)
    between = calls.one[start + len(TOOLS[0]) : first[0]]
    other = calls.two.rpartition(TOOLS[1])[2].partition("{")[0] or between
    ends: tuple[str, ...] = (between,)
    arguments_open = ""
    if between != other:
        arguments_open = shared_end(between, other)
        ends = (shared_start(between, other).partition(ID_START)[0], arguments_open)
    if not layout.open.strip() or not all(ends) or ID_START in layout.before:
        return None
    syntax = NamedCalls(name_ends=ends, arguments_open=arguments_open, close=layout.close.strip())
    return _grouped(On(layout.open.strip(), call=syntax), layout)


def _tagged(calls: Calls) -> CallFormat | None:
    """Read calls as parameters between tags."""
    (key, value), (next_key, next_value) = ARGUMENTS[0].items()
    pieces = re.split("|".join(map(re.escape, (TOOLS[0], key, str(value), next_key, str(next_value)))), calls.one)
    if len(pieces) != 6 or "<" not in pieces[0] or not all(_TAG.search(piece) for piece in (pieces[3], pieces[5])):
        return None
    before, to_key, to_value, to_next, to_next_value, after = pieces
    key_open, value_close = _last_tag(to_key), _TAG.findall(to_next)[0]
    closers = _TAG.findall(after.strip().removeprefix(value_close))
    has_own_tag = len(closers) > 1 or not before.rstrip().endswith(">")
    function_open = _last_tag(before) if has_own_tag else ""
    function_close = "".join(closers[:1]) if has_own_tag else ""
    opening = before.strip().removesuffix(function_open).strip()
    layout = "\n" if to_next.partition(value_close)[2].startswith("\n") else ""
    syntax = XmlCalls(
        functions=(Head(function_open, to_key.strip().removesuffix(key_open).strip()),),
        parameters=tuple(dict.fromkeys(Head(key_open, _key_end(gap)) for gap in (to_value, to_next_value))),
        value_open=to_value.removeprefix(_key_end(to_value)).strip(),
        parameter_close=value_close,
        function_close=function_close,
        open=opening,
        close="".join(closers[1:] if has_own_tag else closers),
        one_newline=to_value.endswith("\n"),
        needs_close=bool(opening),
        layout=layout,
    )
    on = On(opening, call=syntax) if opening else On(function_open, call=syntax, rewind=True)
    last = function_close or (f"{value_close}{layout}" if f"{value_close}{layout}" in after else value_close)
    end = len(calls.one) - len(after) + after.index(last) + len(last)
    return CallFormat(on=on, grammar=lay_out(calls, len(before) - len(function_open), end).grammar(syntax))


def _last_tag(text: str) -> str:
    """Return the last tag of a text, or as much of it as the text holds."""
    return text[text.rfind("<") :].strip()


def _key_end(gap: str) -> str:
    return gap[: gap.find(">") + 1]


def _python(calls: Calls) -> CallFormat | None:
    """Read calls as a list of Python calls."""
    start = calls.one.find(f"{TOOLS[0]}(")
    end = calls.one.rfind(")]") + 1
    if start <= 0 or end <= 0 or calls.one[start - 1] != "[":
        return None
    opening = calls.one[: start - 1].strip()
    syntax = PythonCalls(close=calls.one[end + 1 :].strip(), only_declared=not opening)
    on = On(opening, call=syntax) if opening else On("[", call=syntax, rewind=True, at_start=True)
    return CallFormat(on=on, grammar=lay_out(calls, start, end).grammar(syntax))


def _grouped(on: On, layout: Layout) -> CallFormat:
    return CallFormat(
        on=on,
        group_open=layout.before.strip(),
        group_close=layout.after.strip(),
        grammar=layout.grammar(on.call) if isinstance(on.call, NamedCalls) else None,
    )
