"""What a family's renderer writes for an assistant's turn, its parser reads as that turn."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from answers import TOOLS, read
from family import RoundTrip, collect, result, user
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from corral.conversation import Conversation, Message, Prompt, ToolCall
from corral.events import CallStatus
from corral.formats import fold
from corral.plugins import PluginHost
from corral.testing import model_spec

if TYPE_CHECKING:
    from corral.formats import Answer

HOST = PluginHost.load()

_WORDS = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S", "Z"), include_characters="\n\t"), max_size=20)


@st.composite
def _turns(draw: st.DrawFn, case: RoundTrip) -> Message:
    text = _WORDS.filter(lambda text: not any(tag in text for tag in case.reserved))
    values = st.fixed_dictionaries({"city": text}, optional={"days": st.integers(-(10**9), 10**9)})
    calls = st.builds(ToolCall, name=st.just("get_weather"), arguments=values) | st.just(ToolCall(name="stop", arguments={}))
    made = draw(st.lists(calls, min_size=1, max_size=2 if case.holds.parallel else 1)) if case.holds.calls else []
    content = draw(text).strip() if case.holds.content_with_calls or not made else ""
    thinking = draw(text).strip() if case.holds.thinking else ""
    return Message(role="assistant", content=content, thinking=thinking, tool_calls=tuple(made))


@pytest.mark.parametrize("case", collect(RoundTrip), ids=lambda case: f"{case.renderer}-{case.parser}")
@given(data=st.data())
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
def test_a_turn_is_read_back_as_it_was_written(case: RoundTrip, data: st.DataObject) -> None:
    """F70."""
    turn = data.draw(_turns(case))
    answer = _read_back(case, turn)
    assert [(call.name, call.arguments, call.status) for call in answer.tool_calls] == [
        (call.name, call.arguments, CallStatus.OK) for call in turn.tool_calls
    ]
    assert answer.content.strip() == turn.content
    assert answer.thinking.strip() == turn.thinking


def _read_back(case: RoundTrip, turn: Message) -> Answer:
    model = model_spec(renderer=case.renderer, parser=case.parser)
    asked = Conversation(messages=(user(),), tools=TOOLS if case.holds.tools else (), think=case.think)
    made = [replace(call, id=f"call_{index}") for index, call in enumerate(turn.tool_calls)]
    results = [replace(result(name=call.name), tool_call_id=call.id) for call in made]
    follow_up = (replace(turn, tool_calls=tuple(made)), *(results or [user()]))
    before = HOST.render_prompt(model, asked)
    after = HOST.render_prompt(model, replace(asked, messages=(user(), *follow_up)))
    lead = before.text.removesuffix(before.suffix)
    assert after.text.startswith(lead)
    written = after.text[len(lead) :]
    written = written[: min((written.find(stop) for stop in after.stop if stop in written), default=len(written))]
    return fold(read(HOST.parse_output(model, replace(asked, tools=TOOLS), Prompt(segments=())), [written]))
