"""Draw conversations of what a reference can hold."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from conversations import ARGUMENTS, NAME, TEXT, tools
from hypothesis import strategies as st

from corral.conversation import Conversation, JsonObject, Message, ToolCall

if TYPE_CHECKING:
    from family import Holds

_THINKING = TEXT | st.sampled_from(["\n\nhm\n", "a</b>\n\nc"])
_CONTENT = TEXT | st.sampled_from(["</think>", "<think>\nwhy\n</think>\n\nso", "x</think>y</think>\n\n z", "\n\n"])
#: Results that a client shows as a user's turn.
_ASKED = TEXT | st.sampled_from(["<tool_response>r</tool_response>", "\n<tool_response>r</tool_response> "])


@st.composite
def drawn_conversations(draw: st.DrawFn, holds: Holds) -> Conversation:
    """Draw a conversation that ends with a user's turn, a result or a call."""
    messages = [Message(role="system", content=draw(TEXT))] if holds.system and draw(st.booleans()) else []
    asked = st.lists(_exchange(holds), max_size=3) if holds.alternates else st.lists(_turn(holds), max_size=6).map(lambda turns: [turns])
    messages.append(Message(role="user", content=draw(TEXT)))
    for turns in draw(asked):
        messages += turns
    if messages[-1].role == "assistant" and not messages[-1].tool_calls:
        messages.append(Message(role="user", content=draw(TEXT)))
    declared = draw(st.lists(drawn_tools(plain=holds.plain_tools), max_size=2)) if holds.tools else []
    return Conversation(
        messages=tuple(messages),
        tools=tuple(declared),
        think=draw(st.sampled_from(holds.think)),
        template_arguments=draw(st.sampled_from(holds.arguments)),
    )


@st.composite
def drawn_tools(draw: st.DrawFn, *, plain: bool) -> JsonObject:
    """Draw a tool; a plain one describes itself and every parameter, and gives each one type."""
    tool = draw(tools())
    function = tool["function"]
    assert isinstance(function, dict)
    if plain:
        kinds = st.sampled_from(["string", "integer", "number", "boolean"])
        described = st.fixed_dictionaries({"type": kinds, "description": TEXT})
        parameters = {"type": "object", "properties": draw(st.dictionaries(NAME, described, max_size=3)), "required": []}
        return {"type": "function", "function": {**function, "parameters": parameters}}
    return tool


@st.composite
def drawn_turn(draw: st.DrawFn, holds: Holds, *, calls: bool) -> Message:
    """Draw an assistant's turn, with or without calls."""
    turn = Message(role="assistant", content=draw(_CONTENT), thinking=draw(_THINKING) if holds.thinking and draw(st.booleans()) else "")
    if not calls:
        return turn
    made = st.builds(ToolCall, name=NAME, arguments=ARGUMENTS)
    found = draw(st.lists(made, min_size=1, max_size=2 if holds.parallel else 1))
    return replace(turn, content=turn.content if holds.content_with_calls else "", tool_calls=tuple(found))


def _turn(holds: Holds) -> st.SearchStrategy[Message]:
    kinds = [st.builds(Message, role=st.just("user"), content=_ASKED), drawn_turn(holds, calls=False)]
    if holds.later_system:
        kinds.append(st.builds(Message, role=st.just("system"), content=TEXT))
    if holds.calls:
        kinds.append(drawn_turn(holds, calls=True))
    if holds.results:
        kinds.append(st.builds(Message, role=st.just("tool"), content=TEXT, tool_name=NAME, tool_call_id=st.sampled_from(["", "call_1"])))
    return st.one_of(kinds)


@st.composite
def _exchange(draw: st.DrawFn, holds: Holds) -> list[Message]:
    turns: list[Message] = []
    if holds.calls and draw(st.booleans()):
        asked = draw(drawn_turn(holds, calls=True))
        named = tuple(replace(call, id=f"{holds.ids}{index}") for index, call in enumerate(asked.tool_calls))
        turns.append(replace(asked, tool_calls=named))
        if holds.results:
            turns += [Message(role="tool", content=draw(TEXT), tool_name=call.name, tool_call_id=call.id) for call in named]
    return [*turns, draw(drawn_turn(holds, calls=False)), Message(role="user", content=draw(TEXT))]
