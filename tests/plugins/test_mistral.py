"""How Mistral's renderers name calls and results, and what they are told of the date."""

from __future__ import annotations

import pytest

from corral.conversation import Conversation, Message
from corral.plugins import PluginHost
from corral.testing import model_spec
from corral_mistral.history import CallIds

HOST = PluginHost.load()


def result_ids(calls: list[str], results: list[str]) -> list[str]:
    ids = CallIds()
    for call in calls:
        ids.of_call(call)
    return [ids.of_result(result) for result in results]


@pytest.mark.parametrize(
    ("calls", "results", "shown"),
    [
        (["abcDEF123"], ["abcDEF123"], ["abcDEF123"]),
        (["call_abc", "call_def"], ["call_def", "call_abc"], ["000000001", "000000000"]),
        (["", ""], ["", ""], ["000000000", "000000001"]),
        (["same", "same"], ["same", "same"], ["000000000", "000000001"]),
        (["abcDEF123"], [""], ["abcDEF123"]),
        (["call_abc"], ["otherid99"], ["otherid99"]),
        ([], ["", "call_abc"], ["000000000", "000000000"]),
    ],
)
def test_a_result_bears_the_id_of_the_call_it_answers(calls: list[str], results: list[str], shown: list[str]) -> None:
    assert result_ids(calls, results) == shown


def test_the_instructions_tell_a_date_only_when_the_client_does() -> None:
    asked = (Message(role="user", content="Hi"),)
    told = [
        HOST.render_prompt(model_spec(renderer="mistral-small"), Conversation(messages=asked, template_arguments=arguments)).text
        for arguments in ({}, {"current_date": "2026-01-31"})
    ]
    assert ["The current date is 2026-01-31." in text for text in told] == [False, True]
    assert "{date}" not in "".join(told)
