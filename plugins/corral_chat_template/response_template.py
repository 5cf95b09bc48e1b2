r"""Read the declarative `response_template` of transformers, where a model ships one, as a format of `corral.formats`.

A GGUF carries it as the named chat template `response_template`. What its regular expressions say is kept where they are
literals around names (`<function=(?P<name>\w+)>`), as they are in practice; a template that needs more is not read, and the
format is inferred from the chat template instead.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from corral.errors import InvalidInput
from corral.formats import Format, Head, JsonCalls, NamedCalls, On, Sink, State, XmlCalls, load_object

if TYPE_CHECKING:
    from collections.abc import Iterator

    from corral.conversation import Json, JsonObject
    from corral.formats import CallSyntax

#: The name under which a GGUF carries it among its chat templates.
RESPONSE_TEMPLATE: Final = "response_template"

_FIRST_WORD: Final = re.compile(r"(?P<name>[\w.\-]+).*", re.DOTALL)
_THINKING: Final = ("thinking", "reasoning_content", "reasoning")
_PIECE: Final = re.compile(
    r"(?P<space>\\[sn][*+?]?)|\(\?P<(?P<name>\w+)>[^()]*\)|(?P<any>\.\*\??)|\\(?P<escaped>[^\w\s])|(?P<literal>[^\\()\[\]{}*+?^$|.]+)"
)


@dataclass(frozen=True, slots=True)
class _Gap:
    """A part of a pattern that is no literal: a named group, or "" for any text."""

    name: str


def read_response_template(text: str) -> Format | None:
    """Return the format that a response template describes; None when it says what corral can't read."""
    template = load_object(text)
    if template is None or template.get("version", 1) != 1:
        return None
    try:
        return _format(_objects(template.get("fields")))
    except InvalidInput:
        return None


def _format(fields: dict[str, JsonObject]) -> Format:
    content = fields.get("content", {})
    thinking = next((fields[name] for name in _THINKING if name in fields), {})
    calls = _calls(fields["tool_calls"]) if "tool_calls" in fields else ()
    in_text = (
        *(On(tag, "thinking") for tag in _literals(thinking, "open")),
        *(On(tag, "content") for tag in (*_literals(content, "open"), *_literals(content, "close"))),
        *calls,
    )
    closing = tuple(On(tag, "content") for tag in _literals(thinking, "close"))
    return Format({"content": State(Sink.CONTENT, in_text), "thinking": State(Sink.THINKING, closing)})


def _calls(field: JsonObject) -> tuple[On, ...]:
    """Return the tags that begin calls, and how those are read, from the shapes that response templates have."""
    closing = next(iter(_literals(field, "close")), "")
    pattern = field.get("open_pattern")
    if not isinstance(pattern, str):
        return tuple(On(tag, "content", call=_json_calls(field, closing)) for tag in _literals(field, "open"))
    pieces = _pieces(pattern)
    arguments = _objects({"of": field.get("content_args", {})})["of"]
    match field.get("content"):
        case "json" if not arguments:
            return (On(_around(pieces, "name")[0], "content", call=_named_calls(pieces, closing)),)
        case "xml-inline":
            opening, _, function = _around(pieces, "name")[0].rpartition(" ")
            syntax = _tagged_calls(pieces, _pieces(str(arguments.get("tag_pattern", ""))), closing)
            return (On(opening, "content", call=syntax) if opening else On(function, "content", call=syntax, rewind=True),)
        case other:
            raise InvalidInput(f"content of kind {other}")


def _json_calls(field: JsonObject, closing: str) -> CallSyntax:
    function = _objects({"of": field.get("transform")}).get("of", {}).get("function", "{content}")
    if function == "{content}":
        return JsonCalls(close=closing)
    if not isinstance(function, dict):
        raise InvalidInput("a transform without function")
    name, arguments = (str(function.get(key, "")).strip("{}").rpartition(".")[2] for key in ("name", "arguments"))
    return JsonCalls(name_keys=(name,), argument_keys=(arguments,), close=closing)


def _named_calls(pieces: list[str | _Gap], closing: str) -> CallSyntax:
    _, after = _around(pieces, "name")
    last = pieces[-1]
    if after or not isinstance(last, str):
        return NamedCalls(name_ends=(after or "{",), close=closing)
    return NamedCalls(name_ends=(last,), name=_FIRST_WORD, close=closing)


def _tagged_calls(pieces: list[str | _Gap], tag: list[str | _Gap], closing: str) -> CallSyntax:
    """Return the syntax of calls in tags; where a wrapper is closed, the function inside has a closing tag of its own name."""
    before, function_end = _around(pieces, "name")
    opening, _, function = before.rpartition(" ")
    key_open, key_end = _around(tag, "key")
    own = re.match(r"<([\w:]+)", function)
    return XmlCalls(
        functions=(Head(function, function_end),),
        parameters=(Head(key_open, key_end.strip()),),
        parameter_close=_around(tag, "value")[1].strip(),
        function_close=closing if not opening else f"</{own.group(1)}>" if own else "",
        open=opening,
        close=closing if opening else "",
        needs_close=bool(opening),
    )


def _around(pieces: list[str | _Gap], name: str) -> tuple[str, str]:
    """Return the literals before and after a named group, up to the groups next to it."""
    at = next((at for at, piece in enumerate(pieces) if piece == _Gap(name)), None)
    if at is None:
        raise InvalidInput(f"no group named {name}")
    before, after = pieces[at - 1] if at else "", pieces[at + 1] if at + 1 < len(pieces) else ""
    return before if isinstance(before, str) else "", after if isinstance(after, str) else ""


def _pieces(pattern: str) -> list[str | _Gap]:
    """Cut a regular expression into literals and gaps; optional white space counts as a space."""
    pieces: list[str | _Gap] = []
    at = 0
    while at < len(pattern):
        found = _PIECE.match(pattern, at)
        if not found:
            raise InvalidInput(f"pattern {pattern!r} is more than literals")
        at = found.end()
        gap = _Gap(found["name"] or "") if found["name"] or found["any"] else None
        text = " " if found["space"] else found["escaped"] or found["literal"] or ""
        if gap is None and pieces and isinstance(pieces[-1], str):
            pieces[-1] = f"{pieces[-1]}{text}"
        else:
            pieces.append(text if gap is None else gap)
    return pieces


def _literals(field: JsonObject, side: str) -> Iterator[str]:
    """Yield the literals that open or close a field."""
    value = field.get(side, [])
    pattern = field.get(f"{side}_pattern")
    if isinstance(pattern, str):
        pieces = _pieces(pattern)
        if len(pieces) != 1 or not isinstance(pieces[0], str):
            raise InvalidInput(f"pattern {pattern!r} is more than a literal")
        value = pieces[0].strip()
    for literal in [value] if isinstance(value, str) else value if isinstance(value, list) else []:
        if isinstance(literal, str) and literal:
            yield literal


def _objects(value: Json) -> dict[str, JsonObject]:
    if not isinstance(value, dict) or not all(isinstance(item, dict) for item in value.values()):
        raise InvalidInput("fields are objects")
    return {key: item for key, item in value.items() if isinstance(item, dict)}
