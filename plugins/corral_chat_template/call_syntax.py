"""Infer from rendered calls how a model writes them: as JSON, as a name with JSON, or with tagged parameters."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final

from corral.events import CallStatus, ToolCallEnd
from corral.formats.json_calls import JsonCalls
from corral.formats.machine import Format, On, State
from corral.formats.output import Sink
from corral.formats.xml_calls import Head, XmlCalls
from corral_chat_template.named_json import NamedJson
from corral_chat_template.probes import ARGUMENTS, TOOLS, declared_tools

if TYPE_CHECKING:
    from collections.abc import Iterator

    from corral.conversation import Json, JsonObject
    from corral_chat_template.traits import Calls

_TAG: Final = re.compile(r"<[^<>]+>|\[/?[A-Z_]+\]")


def infer_calls(calls: Calls) -> On | None:
    """Return the tag that begins calls and how they are read; None unless that reads the template's own calls back."""
    candidates = (_json(calls), _named_json(calls), _tagged(calls))
    return next((on for on in candidates if on is not None and _reads_back(on, calls)), None)


def _reads_back(on: On, calls: Calls) -> bool:
    expected = list(zip(TOOLS, ARGUMENTS, strict=True))
    texts = [(calls.one, expected[:1]), (calls.bare, [(TOOLS[0], {})])]
    if all(name in calls.two for name in TOOLS):
        texts.append((calls.two, expected))
    return all(_read(on, text) == wanted for text, wanted in texts)


def _read(on: On, text: str) -> list[tuple[str, JsonObject]]:
    parser = Format({"content": State(Sink.CONTENT, (on,))}).parser(declared_tools())
    events = [*parser.feed(text), *parser.finish("stop")]
    return [(event.name, event.arguments) for event in events if isinstance(event, ToolCallEnd) and event.status is CallStatus.OK]


def _json(calls: Calls) -> On | None:
    """Read calls as JSON values that hold name and arguments."""
    for start, end, value in _json_values(calls.one):
        call = value[0] if isinstance(value, list) and value else value
        keys = _keys(call)
        if keys is None:
            continue
        name_key, argument_key, others = keys
        opening, closing = calls.one[:start].strip(), calls.one[end:].strip()
        syntax = JsonCalls(
            name_keys=(name_key,), argument_keys=(argument_key,), other_keys=others, close=closing, only_declared=not opening
        )
        return On(opening, call=syntax) if opening else On(calls.one[start], call=syntax, rewind=True, at_start=True)
    return None


def _keys(call: Json) -> tuple[str, str, tuple[str, ...]] | None:
    """Return the keys of name and arguments, and the others."""
    nested = (
        next((value for value in call.values() if isinstance(value, dict) and TOOLS[0] in value.values()), call)
        if isinstance(call, dict)
        else None
    )
    if not isinstance(nested, dict):
        return None
    found = {("name" if value == TOOLS[0] else "arguments"): key for key, value in nested.items() if value in (TOOLS[0], ARGUMENTS[0])}
    others = tuple(key for key in nested if key not in found.values())
    return (found["name"], found["arguments"], (*others, "id", "type")) if len(found) == 2 else None


def _json_values(text: str) -> Iterator[tuple[int, int, Json]]:
    """Yield the JSON objects and lists of a text that no other one holds, with where they stand."""
    decoder = json.JSONDecoder()
    at = 0
    while found := re.compile(r"[{\[]").search(text, at):
        try:
            value, at = decoder.raw_decode(text, found.start())
        except ValueError:
            at = found.end()
        else:
            yield found.start(), at, value


def _named_json(calls: Calls) -> On | None:
    """Read calls as a name in plain text before its JSON arguments."""
    first = next(((start, end) for start, end, value in _json_values(calls.one) if value == ARGUMENTS[0]), None)
    if first is None or TOOLS[0] not in calls.one[: first[0]]:
        return None
    before, between = calls.one[: first[0]].rsplit(TOOLS[0], 1)
    after = calls.one[first[1] :]
    call_open, call_close = before.strip(), after.strip()
    second = next((start for start, _, value in _json_values(calls.two) if value == ARGUMENTS[1]), None)
    name_end, arguments_open = between, ""
    if second is not None and TOOLS[1] in calls.two[first[1] : second]:
        gap, other_between = calls.two[first[1] : second].rsplit(TOOLS[1], 1)
        call_open = _shared_end(before, gap).strip() or call_open
        call_close = gap.removesuffix(call_open).strip() if gap.endswith(call_open) else call_close
        if between != other_between:
            name_end, arguments_open = _shared_start(between, other_between), _shared_end(between, other_between)
    group_open = before.strip().removesuffix(call_open)
    syntax = NamedJson(
        call_open=call_open,
        name_end=name_end,
        arguments_open=arguments_open,
        call_close=call_close,
        group_close=after.strip().removeprefix(call_close).strip(),
    )
    return On(group_open + call_open, call=syntax) if call_open else None


def _tagged(calls: Calls) -> On | None:
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
    opening = before.strip().removesuffix(function_open).strip()
    syntax = XmlCalls(
        functions=(Head(function_open, to_key.strip().removesuffix(key_open).strip()),),
        parameters=tuple(dict.fromkeys(Head(key_open, _key_end(gap)) for gap in (to_value, to_next_value))),
        value_open=to_value.removeprefix(_key_end(to_value)).strip(),
        parameter_close=value_close,
        function_close="".join(closers[:1]) if has_own_tag else "",
        open=opening,
        close="".join(closers[1:] if has_own_tag else closers),
        one_newline=to_value.endswith("\n"),
        needs_close=bool(opening),
    )
    return On(opening, call=syntax) if opening else On(function_open, call=syntax, rewind=True)


def _last_tag(text: str) -> str:
    """Return the last tag of a text, or as much of it as the text holds."""
    return text[text.rfind("<") :].strip()


def _key_end(gap: str) -> str:
    return gap[: gap.find(">") + 1]


def _shared_start(one: str, other: str) -> str:
    size = next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    return one[:size]


def _shared_end(one: str, other: str) -> str:
    return _shared_start(one[::-1], other[::-1])[::-1]
