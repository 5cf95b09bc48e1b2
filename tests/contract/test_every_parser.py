"""Laws that every registered parser keeps, whoever wrote it: nothing lost, nothing raised, nothing changed by the pieces."""

from __future__ import annotations

import json
import re
import time
from typing import TYPE_CHECKING

import pytest
import sample_formats
from answers import ANSWERS, CALLS, FAKE_OUTS, PLAIN, TAGS, TOOLS, pieces, read
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from corral.conversation import Conversation, Message, Prompt
from corral.errors import PluginError
from corral.events import CallStatus, ContentDelta, ThinkingDelta, ThinkingEnd, ToolCallArgsDelta, ToolCallEnd, ToolCallStart
from corral.formats import fold
from corral.plugins import Candidate, PluginHost
from corral.plugins.candidates import installed
from corral.testing import model_spec

if TYPE_CHECKING:
    from corral.events import OutputParser, ParserEvent

HOST = PluginHost.load(entry_points=[*installed(), Candidate(name="samples", load=lambda: sample_formats, distribution="samples")])
CONVERSATION = Conversation(messages=(Message(role="user", content="Hi"),), tools=TOOLS)
QUICK = settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))

every_parser = pytest.mark.parametrize("name", sorted(HOST.parsers()))


def make(name: str, suffix: str = "") -> OutputParser:
    return HOST.parse_output(model_spec(parser=name), CONVERSATION, Prompt(segments=(), suffix=suffix))


def said(events: list[ParserEvent]) -> tuple[object, ...]:
    answer = fold(events)
    return answer.content, answer.thinking, [(call.name, call.arguments, call.status, call.raw) for call in answer.tool_calls]


@every_parser
@given(data=st.data())
@QUICK
def test_the_pieces_of_an_answer_do_not_change_what_it_says(name: str, data: st.DataObject) -> None:
    """F66."""
    text = data.draw(ANSWERS)
    whole = said(read(make(name), [text]))
    assert said(read(make(name), data.draw(pieces(text)))) == whole
    assert said(read(make(name), list(text))) == whole


@every_parser
@given(text=PLAIN)
@QUICK
def test_text_without_tags_comes_out_unchanged(name: str, text: str) -> None:
    """F68."""
    answer = fold(read(make(name), [text]))
    assert answer.content + answer.thinking == text
    assert answer.tool_calls == ()


@every_parser
@given(text=FAKE_OUTS)
@QUICK
def test_tags_that_are_not_finished_are_text(name: str, text: str) -> None:
    """F67, F68."""
    events = read(make(name), list(text))
    kept = "".join(e.text if isinstance(e, ContentDelta | ThinkingDelta) else getattr(e, "raw", "") for e in events)
    assert re.sub(r"\s", "", kept) == re.sub(r"\s", "", text)


@every_parser
@given(data=st.data())
@QUICK
def test_every_word_is_in_the_text_in_a_call_or_in_a_diagnostic(name: str, data: st.DataObject) -> None:
    """F69."""
    parts = data.draw(st.lists(st.sampled_from(TAGS + CALLS) | st.just(""), min_size=1, max_size=6))
    words = [f"w{index}q" for index in range(len(parts))]
    text = "".join(part + word for part, word in zip(parts, words, strict=True))
    events = read(make(name), [text])
    kept = "".join(e.text if isinstance(e, ContentDelta | ThinkingDelta) else getattr(e, "raw", "") for e in events)
    assert [word for word in words if word not in kept] == []


@every_parser
@given(text=ANSWERS)
@QUICK
def test_events_come_in_order_and_arguments_join_to_one_object(name: str, text: str) -> None:
    events = read(make(name), list(text))
    assert "" not in [e.text for e in events if isinstance(e, ContentDelta | ThinkingDelta)]
    starts = [e.index for e in events if isinstance(e, ToolCallStart)]
    ends = [e for e in events if isinstance(e, ToolCallEnd)]
    assert starts == [e.index for e in ends] == list(range(len(starts)))
    for end in ends:
        own = [e for e in events if getattr(e, "index", None) == end.index]
        assert isinstance(own[0], ToolCallStart)
        assert own[0].name == end.name != ""
        assert own[-1] is end
        assert json.loads("".join(e.json for e in own if isinstance(e, ToolCallArgsDelta))) == end.arguments
    between = [
        e for e in events if isinstance(e, ToolCallStart | ToolCallArgsDelta | ToolCallEnd | ContentDelta | ThinkingDelta | ThinkingEnd)
    ]
    is_open = False
    for event in between:
        assert not (is_open and isinstance(event, ContentDelta | ThinkingDelta | ThinkingEnd | ToolCallStart))
        is_open = (is_open or isinstance(event, ToolCallStart)) and not isinstance(event, ToolCallEnd)


@every_parser
@given(text=ANSWERS)
@QUICK
def test_a_finished_parser_gives_nothing_more_and_takes_nothing_more(name: str, text: str) -> None:
    """F48."""
    parser = make(name)
    parser.feed(text)
    parser.finish("length")
    assert parser.finish("stop") == []
    with pytest.raises(PluginError, match="RuntimeError"):
        parser.feed("x")


@every_parser
@pytest.mark.parametrize("call", CALLS)
def test_a_call_that_is_cut_off_is_truncated_text_or_whole(name: str, call: str) -> None:
    """F67, F74: whatever ended it, a limit or a stop string."""
    for size in range(len(call)):
        for end in fold(read(make(name), [call[:size]])).tool_calls:
            if end.arguments != {"city": "Ulm", "days": 3} and end.arguments != {"city": "Ulm"}:
                assert end.status is CallStatus.TRUNCATED


@every_parser
@given(before=PLAIN, text=ANSWERS)
@QUICK
def test_a_continued_answer_says_what_follows_its_beginning(name: str, before: str, text: str) -> None:
    """P15: the state after the suffix is the state after the same text as output."""
    whole = fold(read(make(name), [before, text]))
    rest = fold(read(make(name, suffix=before), [text]))
    assert (whole.content + whole.thinking).endswith(rest.content + rest.thinking)
    assert [call.arguments for call in rest.tool_calls] == [call.arguments for call in whole.tool_calls]


@every_parser
def test_plain_text_is_passed_on_at_once(name: str) -> None:
    parser = make(name)
    events = parser.feed("Hello ") + parser.feed("world")
    if events:
        assert fold(events).content == "Hello world"


#: Where in an answer a flood may begin: at its start, in a text value, in a JSON string, in a list of calls.
OPENINGS = (
    "",
    "<tool_call>\n<function=get_weather>\n<parameter=units>\n",
    '<tool_call>{"name": "get_weather", "arguments": {"city": "',
    "[TOOL_CALLS][",
    "<|channel|>final<|message|>",
)
FLOODS = (
    "word ",
    "<tool_call>",
    "<",
    "{",
    "[",
    '{"a":',
    "<think>",
    "</parameter>",
    "<parameter=a>\n",
    "\n",
    "<|channel|>",
    '"\\',
    "</function>\n",
)


@pytest.mark.long
@every_parser
@pytest.mark.parametrize("opening", OPENINGS)
@pytest.mark.parametrize("at_once", [False, True])
def test_time_grows_with_the_length_of_the_answer_only(name: str, opening: str, at_once: bool) -> None:
    """F71, F72; bench/parsers.py has the time of ten megabytes."""

    def seconds(unit: str, count: int) -> float:
        parser = make(name)
        started = time.process_time()
        read(parser, [opening + unit * count] if at_once else [opening, *unit * count])
        return time.process_time() - started

    def is_slow(unit: str) -> bool:
        count = (20_000 if at_once else 4000) // len(unit)
        return seconds(unit, count * 6) > max(seconds(unit, count), 0.01) * 6 * 3

    # Three times in a row: a busy machine is slow now and then, a parser that reads its text again and again always.
    slow = [unit for unit in FLOODS if all(is_slow(unit) for _ in range(3))]
    assert slow == []
