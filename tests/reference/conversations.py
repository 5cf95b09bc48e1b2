"""Generate conversations, tools and arguments for property tests of renderers and parsers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import strategies as st

from corral.conversation import Conversation, Message, ToolCall

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

    from corral.conversation import Json, JsonObject

_CHARACTERS = st.characters(codec="utf-8", categories=("L", "N", "P", "S", "Z"), include_characters="\n\t")
TEXT = st.text(_CHARACTERS, max_size=24) | st.sampled_from(["", " ", "<tool_call>", "<|im_start|>user", "a & b < c", "{}", "null", "\nx\n"])
WORD = st.text(_CHARACTERS, min_size=1, max_size=24).filter(str.strip)
NAME = st.from_regex(r"[a-z][a-z0-9_]{0,10}", fullmatch=True)
_SCALAR = TEXT | st.booleans() | st.none() | st.integers(-(10**12), 10**12) | st.floats(allow_nan=False, allow_infinity=False, width=32)
VALUE: SearchStrategy[Json] = st.recursive(
    _SCALAR, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAME, inner, max_size=3), max_leaves=5
)
ARGUMENTS = st.dictionaries(NAME, VALUE, max_size=3)

_TYPES = st.sampled_from(["string", "integer", "number", "boolean", "array", "object", ["string", "null"]])
_PROPERTY = st.fixed_dictionaries(
    {"type": _TYPES}, optional={"description": TEXT, "enum": st.lists(TEXT, max_size=3), "default": _SCALAR, "minimum": st.integers(0, 9)}
)


@st.composite
def tools(draw: st.DrawFn) -> JsonObject:
    """Draw a tool in the shape of OpenAI's clients."""
    parameters: JsonObject = {"type": "object", "properties": draw(st.dictionaries(NAME, _PROPERTY, max_size=3))}
    parameters.update(
        draw(st.fixed_dictionaries({}, optional={"required": st.lists(NAME, max_size=2), "additionalProperties": st.booleans()}))
    )
    function: JsonObject = {"name": draw(NAME), "description": draw(TEXT), "parameters": parameters}
    return {"type": "function", "function": function}


_CALLS = st.lists(st.builds(ToolCall, name=NAME, arguments=ARGUMENTS), min_size=1, max_size=2).map(tuple)
_TURN = st.one_of(
    st.builds(Message, role=st.just("user"), content=TEXT),
    st.builds(Message, role=st.just("assistant"), content=TEXT),
    st.builds(Message, role=st.just("assistant"), content=TEXT, tool_calls=_CALLS),
    st.builds(Message, role=st.just("tool"), content=TEXT),
)
_SYSTEM = st.lists(st.builds(Message, role=st.just("system"), content=TEXT), max_size=1)


@st.composite
def conversations(draw: st.DrawFn) -> Conversation:
    """Draw a conversation that begins with a user's turn, after at most one system message, and ends with one."""
    turns = [Message(role="user", content=draw(TEXT)), *draw(st.lists(_TURN, max_size=5)), Message(role="user", content=draw(TEXT))]
    return Conversation(messages=(*draw(_SYSTEM), *turns), tools=tuple(draw(st.lists(tools(), max_size=2))))
