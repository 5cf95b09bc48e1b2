"""Every family's parser reads answers as they were meant, in whatever pieces they arrive."""

from __future__ import annotations

import pytest
from answers import TOOLS, read
from family import Answered, Forced, collect
from gbnf_recogniser import accepts

from corral.conversation import Conversation, Prompt
from corral.events import Constrains
from corral.formats import fold
from corral.plugins import PluginHost
from corral.testing import model_spec

HOST = PluginHost.load()


def name_of(case: Answered | Forced) -> str:
    return case.parser


@pytest.mark.parametrize("case", collect(Answered), ids=name_of)
def test_an_answer_is_read_as_it_was_meant(case: Answered) -> None:
    for size in (max(1, len(case.text)), 1, 2, 3, 7):
        parser = HOST.parse_output(model_spec(parser=case.parser), Conversation(messages=(), tools=TOOLS), _prompt(case.suffix))
        answer = fold(read(parser, [case.text[at : at + size] for at in range(0, len(case.text), size)]))
        calls = tuple((call.name, call.arguments, call.status) for call in answer.tool_calls)
        assert (answer.content, answer.thinking, calls) == (case.content, case.thinking, case.calls)


@pytest.mark.parametrize("case", collect(Forced), ids=name_of)
def test_a_required_call_is_all_that_its_grammar_allows(case: Forced) -> None:
    asked = Conversation(messages=(), tools=TOOLS, tool_choice="required", think=case.think)
    parser = HOST.parse_output(model_spec(parser=case.parser), asked, _prompt(case.suffix))
    assert isinstance(parser, Constrains)
    grammar = parser.grammar(asked)
    assert grammar is not None
    assert [text for text in case.accepted if not accepts(grammar.gbnf, text)] == []
    assert [text for text in case.refused if accepts(grammar.gbnf, text)] == []


def _prompt(suffix: str) -> Prompt:
    return Prompt(segments=(), suffix=suffix)
