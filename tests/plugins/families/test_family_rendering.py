"""Every family's renderer writes what its reference template writes."""

from __future__ import annotations

import pytest
from drawn import drawn_conversations
from family import Reference, Shown, collect
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from oracle import reference_text

from corral.plugins import PluginHost
from corral.testing import model_spec

HOST = PluginHost.load()
REFERENCES = collect(Reference)
SHOWN = collect(Shown)


@pytest.mark.parametrize("case", SHOWN, ids=lambda case: f"{case.renderer}-{case.case}")
def test_a_prompt_is_written_to_the_letter(case: Shown) -> None:
    prompt = HOST.render_prompt(model_spec(renderer=case.renderer), case.conversation)
    assert prompt.text == case.text
    assert prompt.suffix == case.suffix


@pytest.mark.long
@pytest.mark.parametrize("reference", REFERENCES, ids=lambda reference: f"{reference.renderer}-{reference.template}")
@given(data=st.data())
@settings(max_examples=500, deadline=None, suppress_health_check=list(HealthCheck))
def test_every_conversation_is_byte_equal_to_the_reference(reference: Reference, data: st.DataObject) -> None:
    conversation = data.draw(drawn_conversations(reference.holds))
    assume(not reference.excuse(conversation))
    expected = reference_text(reference, conversation)
    assume(expected is not None)
    assert HOST.render_prompt(model_spec(renderer=reference.renderer), conversation).text == expected


@pytest.mark.long
@pytest.mark.parametrize("shown", SHOWN, ids=lambda case: f"{case.renderer}-{case.case}")
def test_a_prompt_that_no_answer_begins_is_the_references_own(shown: Shown) -> None:
    last = shown.conversation.messages[-1]
    for reference in REFERENCES:
        if (
            reference.renderer == shown.renderer
            and (last.role != "assistant" or last.tool_calls)
            and not any(message.images for message in shown.conversation.messages)
        ):
            expected = reference_text(reference, shown.conversation)
            assert reference.excuse(shown.conversation) or expected is None or shown.text == expected
