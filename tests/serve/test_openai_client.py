"""The official OpenAI client against a real socket."""

from __future__ import annotations

from typing import TYPE_CHECKING

import openai
import pytest
from pydantic import BaseModel

from corral.errors import Busy, ContextExceeded, Unsupported
from corral.events import (
    CallStatus,
    ContentDelta,
    Diagnostic,
    Finish,
    Logprobs,
    ThinkingDelta,
    TokenLogprob,
    ToolCallArgsDelta,
    ToolCallEnd,
    ToolCallStart,
)
from corral.testing.api import HELLO, USAGE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from corral.testing.api import ScriptedEngine

HI = [{"role": "user", "content": "hi"}]
TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {"x": {"type": "integer"}}}}}
CALLS = [
    ContentDelta("Let me see."),
    ToolCallStart(0, "f", "call_a"),
    ToolCallArgsDelta(0, '{"x":'),
    ToolCallArgsDelta(0, " 1}"),
    ToolCallEnd(0, "f", {"x": 1}, id="call_a"),
    ToolCallStart(1, "f", "call_b"),
    ToolCallEnd(1, "f", {"x": 2}, id="call_b"),
    Finish("stop", USAGE),
]


@pytest.fixture(scope="module")
def client(url: str) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{url}/v1", api_key="none", max_retries=0, timeout=10) as client:
        yield client


def test_a_completion_has_text_and_usage_with_cached_tokens(client: openai.OpenAI) -> None:
    answer = client.chat.completions.create(model="test", messages=HI)

    assert (answer.choices[0].message.content, answer.choices[0].finish_reason) == ("Hello", "stop")
    assert (answer.usage.total_tokens, answer.usage.prompt_tokens_details.cached_tokens) == (9, 3)


def test_a_stream_says_who_speaks_what_why_it_ends_and_what_it_cost(client: openai.OpenAI) -> None:
    chunks = list(client.chat.completions.create(model="test", messages=HI, stream=True, stream_options={"include_usage": True}))

    assert chunks[0].choices[0].delta.role == "assistant"
    assert [chunk.choices[0].delta.content for chunk in chunks[1:3]] == ["Hel", "lo"]
    assert chunks[3].choices[0].finish_reason == "stop"
    assert (chunks[4].choices, chunks[4].usage.prompt_tokens) == ([], 7)
    assert len({(chunk.id, chunk.created) for chunk in chunks}) == 1


def test_parallel_calls_stream_with_their_own_index_and_id(client: openai.OpenAI, engine: ScriptedEngine) -> None:
    engine.script = CALLS

    with client.chat.completions.stream(model="test", messages=HI, tools=[TOOL]) as stream:
        answer = stream.get_final_completion()

    calls = answer.choices[0].message.tool_calls
    assert [(call.id, call.function.name, call.function.arguments) for call in calls] == [
        ("call_a", "f", '{"x": 1}'),
        ("call_b", "f", '{"x":2}'),
    ]
    assert answer.choices[0].finish_reason == "tool_calls"
    assert answer.choices[0].message.content == "Let me see."


def test_a_whole_answer_has_the_same_calls(client: openai.OpenAI, engine: ScriptedEngine) -> None:
    engine.script = CALLS

    message = client.chat.completions.create(model="test", messages=HI, tools=[TOOL]).choices[0].message

    assert [(call.id, call.function.arguments) for call in message.tool_calls] == [("call_a", '{"x":1}'), ("call_b", '{"x":2}')]


@pytest.mark.parametrize("stream", [False, True])
def test_a_call_that_nobody_can_read_is_shown_as_text_and_reported(client: openai.OpenAI, engine: ScriptedEngine, stream: bool) -> None:
    engine.script = [ToolCallEnd(0, "f", {}, CallStatus.MALFORMED, raw="<tool_call>oops"), Finish("stop", USAGE)]

    answer = client.chat.completions.create(model="test", messages=HI, stream=stream)
    parts = list(answer) if stream else [answer]

    text = "".join((c.delta if stream else c.message).content or "" for part in parts for c in part.choices)
    assert text == "<tool_call>oops"
    assert parts[-1].model_extra["corral"]["notices"][0]["code"] == "tool_call_malformed"


def test_reasoning_comes_apart_from_the_answer(client: openai.OpenAI, engine: ScriptedEngine) -> None:
    engine.script = [ThinkingDelta("hm"), *HELLO]

    message = client.chat.completions.create(model="test", messages=HI, reasoning_effort="low").choices[0].message

    assert (message.content, message.model_extra["reasoning_content"]) == ("Hello", "hm")
    assert engine.requests[0].conversation.think == "low"


def test_probabilities_stream_with_the_text_they_belong_to(client: openai.OpenAI, engine: ScriptedEngine) -> None:
    token = TokenLogprob("ok", -0.5, top=(TokenLogprob("ok", -0.5), TokenLogprob("no", -1.0)))
    engine.script = [ContentDelta("ok"), Logprobs((token,)), Finish("stop", USAGE)]

    chunks = list(client.chat.completions.create(model="test", messages=HI, logprobs=True, top_logprobs=2, stream=True))

    choice = next(chunk.choices[0] for chunk in chunks if chunk.choices[0].delta.content)
    assert (choice.delta.content, choice.logprobs.content[0].token) == ("ok", "ok")
    assert [top.token for top in choice.logprobs.content[0].top_logprobs] == ["ok", "no"]
    assert engine.requests[0].logprobs == 2


def test_structured_output_is_parsed_into_the_model_that_was_asked_for(client: openai.OpenAI, engine: ScriptedEngine) -> None:
    class Pet(BaseModel):
        name: str

    engine.script = [ContentDelta('{"name": "Rex"}'), Finish("stop", USAGE)]

    answer = client.chat.completions.parse(model="test", messages=HI, response_format=Pet)

    assert answer.choices[0].message.parsed == Pet(name="Rex")
    assert engine.requests[0].conversation.format["properties"]["name"]["type"] == "string"


@pytest.mark.parametrize("stream", [False, True])
def test_n_choices_are_n_answers_with_seeds_of_their_own(client: openai.OpenAI, engine: ScriptedEngine, stream: bool) -> None:
    answer = client.chat.completions.create(model="test", messages=HI, n=3, seed=5, stream=stream)
    parts = list(answer) if stream else [answer]

    assert {choice.index for part in parts for choice in part.choices} == {0, 1, 2}
    assert sorted(request.conversation.options["seed"] for request in engine.requests) == [5, 6, 7]


@pytest.mark.parametrize(
    ("wanted", "given"),
    [("none", "none"), ("auto", "auto"), ("required", "required"), ({"type": "function", "function": {"name": "f"}}, "f")],
)
def test_tool_choice_reaches_the_engine(client: openai.OpenAI, engine: ScriptedEngine, wanted: object, given: str) -> None:
    client.chat.completions.create(model="test", messages=HI, tools=[TOOL], tool_choice=wanted)

    choice = engine.requests[0].conversation.tool_choice
    assert getattr(choice, "name", choice) == given


def test_options_reach_the_engine_under_its_own_names(client: openai.OpenAI, engine: ScriptedEngine) -> None:
    client.chat.completions.create(
        model="test", messages=HI, max_completion_tokens=5, stop=["x"], logit_bias={"7": -100}, extra_headers={"x-corral-num-ctx": "2048"}
    )

    options = engine.requests[0].conversation.options
    assert options == {"num_ctx": 2048, "num_predict": 5, "stop": ["x"], "logit_bias": {"7": -100}}


def test_fields_without_effect_are_reported(client: openai.OpenAI) -> None:
    raw = client.chat.completions.with_raw_response.create(model="test", messages=HI, user="me", service_tier="auto")

    assert raw.headers["x-corral-ignored"] == "service_tier, user"
    assert raw.headers["x-request-id"].startswith("req_")


def test_notices_are_reported_in_a_header_and_in_the_answer(client: openai.OpenAI, engine: ScriptedEngine) -> None:
    engine.script = [Diagnostic("history_truncated", "2 turns were dropped"), *HELLO]

    raw = client.chat.completions.with_raw_response.create(model="test", messages=HI, stream=True)

    assert raw.headers["x-corral-notice"] == "history_truncated"
    assert list(raw.parse())[-1].model_extra["corral"]["notices"][0]["message"] == "2 turns were dropped"


@pytest.mark.parametrize(
    ("error", "kind", "code"),
    [
        (Unsupported("no"), openai.BadRequestError, None),
        (ContextExceeded(tokens=9, context=8), openai.BadRequestError, "context_length_exceeded"),
        (Busy("later", retry_after_s=2), openai.InternalServerError, None),
        (RuntimeError("bug"), openai.InternalServerError, None),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
def test_errors_are_raised_as_the_right_type(
    client: openai.OpenAI, engine: ScriptedEngine, error: Exception, kind: type[openai.APIStatusError], code: str | None, stream: bool
) -> None:
    engine.script = [error]

    with pytest.raises(kind) as caught:
        client.chat.completions.create(model="test", messages=HI, stream=stream)

    assert caught.value.code == code


def test_an_unknown_model_is_not_found(client: openai.OpenAI) -> None:
    with pytest.raises(openai.NotFoundError) as caught:
        client.chat.completions.create(model="nope", messages=HI)

    assert caught.value.code == "model_not_found"


def test_an_error_in_the_middle_of_a_stream_is_raised(client: openai.OpenAI, engine: ScriptedEngine) -> None:
    engine.script = [ContentDelta("a"), Unsupported("it broke")]

    with pytest.raises(openai.APIError, match="it broke"):
        list(client.chat.completions.create(model="test", messages=HI, stream=True))
    with pytest.raises(openai.APIError, match="it broke"):
        list(client.completions.create(model="test", prompt="x", stream=True))


def test_an_answer_that_the_runner_left_unfinished_is_an_error_not_an_end(client: openai.OpenAI, engine: ScriptedEngine) -> None:
    """F40: a runner killed in the middle must not look like a complete answer."""
    engine.script = [ContentDelta("a"), Finish("error", USAGE)]

    with pytest.raises(openai.APIError, match="stopped before its answer was complete"):
        list(client.chat.completions.create(model="test", messages=HI, stream=True))


def test_completions_echo_and_count_offsets(client: openai.OpenAI, engine: ScriptedEngine) -> None:
    engine.script = [ContentDelta("ab"), Logprobs((TokenLogprob("a", -1.0), TokenLogprob("b", -2.0))), Finish("length", USAGE)]

    choice = client.completions.create(model="test", prompt="once", echo=True, logprobs=0, suffix="end").choices[0]

    assert (choice.text, choice.finish_reason) == ("onceab", "length")
    assert choice.logprobs.text_offset == [4, 5]
    assert engine.requests[0].suffix == "end"


def test_completions_stream_every_prompt_under_its_index(client: openai.OpenAI) -> None:
    chunks = list(client.completions.create(model="test", prompt=["a", "b"], stream=True, stream_options={"include_usage": True}))

    texts = {index: "".join(c.text for chunk in chunks for c in chunk.choices if c.index == index) for index in (0, 1)}
    assert texts == {0: "Hello", 1: "Hello"}
    assert chunks[-1].usage.completion_tokens == 4


def test_embeddings_are_the_same_in_both_encodings(client: openai.OpenAI) -> None:
    numbers = client.embeddings.create(model="test", input=["a", "b"], dimensions=2, encoding_format="float")
    packed = client.embeddings.create(model="test", input=["a", "b"], dimensions=2)

    assert [data.embedding for data in numbers.data] == [[0.6, 0.8], [0.6, 0.8]]
    assert [data.embedding for data in packed.data] == [pytest.approx([0.6, 0.8])] * 2


def test_models_are_listed_and_found_by_names_with_slashes(client: openai.OpenAI, engine: ScriptedEngine) -> None:
    engine.library.installed["hf.co/a/b:latest"] = "1" * 64

    assert [model.id for model in client.models.list()] == ["test:latest", "hf.co/a/b:latest"]
    assert client.models.retrieve("hf.co/a/b:latest").owned_by == "a"


def test_debug_render_shows_the_prompt_in_both_forms(client: openai.OpenAI) -> None:
    extra = {"_debug_render_only": True}

    whole = client.chat.completions.create(model="test", messages=HI, extra_body=extra)
    chunk = next(iter(client.chat.completions.create(model="test", messages=HI, extra_body=extra, stream=True)))
    text = client.completions.create(model="test", prompt="hi", extra_body=extra)

    shown = [part.model_extra["_debug_info"]["rendered_template"] for part in (whole, chunk, text)]
    assert shown == ["<|user|>hi"] * 3
