"""The story of one request, told with a scripted runner and parsers made for the test."""

from __future__ import annotations

import asyncio
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from random import Random
from threading import Event as Flag
from typing import TYPE_CHECKING, cast

import pytest

from corral.api import EmbedRequest, Request, RerankRequest
from corral.conversation import Conversation, Message, NamedTool, Prompt, Segment, SegmentKind
from corral.engine import CorralEngine
from corral.engine.reading import Reading
from corral.errors import ContextExceeded, InvalidInput, RunnerDied, Unsupported
from corral.events import ContentDelta, Diagnostic, Finish, ThinkingDelta, ThinkingEnd, ToolCallEnd, ToolCallStart, Usage
from corral.runners import Done, Notice, Piece, Relevance
from corral.settings import Settings
from corral.spec import ParserSupport
from corral.testing import ScriptedRunner, model_spec

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Sequence

    from corral.api import Library
    from corral.conversation import JsonObject
    from corral.events import Event, FinishReason, OutputParser, ParserEvent
    from corral.plugins import PluginHost
    from corral.runners import Generation, Output
    from corral.spec import ModelSpec

TOOL: JsonObject = {"type": "function", "function": {"name": "add", "parameters": {"type": "object", "properties": {}}}}


RANK = RerankRequest(model="test", query="q", documents=("a", "bc"))


def used_for(**facts: bool) -> ModelSpec:
    model = model_spec()
    return replace(model, facts=replace(model.facts, **facts))


class UpperParser:
    """Shouts; a piece "CALL" is a call; holds back the last piece until the end."""

    def __init__(self) -> None:
        self._held = ""

    def feed(self, piece: str) -> list[ParserEvent]:
        if piece == "CALL":
            return [ToolCallStart(0, "add"), ToolCallEnd(0, "add", {"a": 1})]
        out, self._held = self._held, piece.upper()
        return [ContentDelta(out)] if out else []

    def finish(self, reason: FinishReason) -> list[ParserEvent]:
        out, self._held = self._held, ""
        return [ContentDelta(out)] if out else []


@dataclass
class Lease:
    runner: ScriptedRunner
    queue_s: float = 0.25
    load_s: float = 0.5
    notices: tuple[Notice, ...] = ()


@dataclass
class World:
    """The rooms around the engine, all fakes: it is library, plugin host and scheduler at once."""

    runner: ScriptedRunner
    model: ModelSpec = field(default_factory=model_spec)
    support: ParserSupport = ParserSupport(tools=True)
    notices: tuple[Notice, ...] = ()
    rendered: list[tuple[ModelSpec, Conversation]] = field(default_factory=list)
    leased: list[ModelSpec] = field(default_factory=list)
    keep_alives: list[float | None] = field(default_factory=list)
    released: int = 0

    def resolve(self, name: str) -> ModelSpec:
        return self.model

    def parser_support(self, model: ModelSpec) -> ParserSupport:
        return self.support

    def render_prompt(self, model: ModelSpec, conversation: Conversation) -> Prompt:
        self.rendered.append((model, conversation))
        return Prompt(segments=tuple(Segment(f"{m.role}: {m.content} ", SegmentKind.USER) for m in conversation.messages))

    def parse_output(self, model: ModelSpec, conversation: Conversation, prompt: Prompt) -> OutputParser:
        return UpperParser()

    @asynccontextmanager
    async def lease(self, model: ModelSpec, *, keep_alive_s: float | None) -> AsyncIterator[Lease]:
        self.leased.append(model)
        self.keep_alives.append(keep_alive_s)
        try:
            yield Lease(self.runner, notices=self.notices)
        finally:
            self.released += 1

    def statistics(self) -> dict[str, float]:
        return {"corral_queue_length": 0.0}

    @property
    def engine(self) -> CorralEngine:
        async def devices() -> list[object]:
            return []

        return CorralEngine(
            library=cast("Library", self),
            host=cast("PluginHost", self),
            scheduler=self,  # type: ignore[arg-type]
            devices=devices,  # type: ignore[arg-type]
            settings=Settings(),
        )


def ask(*contents: str, **changes: object) -> Request:
    conversation = Conversation(messages=tuple(Message(role="user", content=c) for c in contents))
    return replace(Request(model="test", conversation=conversation), **changes)  # type: ignore[arg-type]


async def collect(world: World, request: Request) -> list[Event]:
    return [event async for event in world.engine.answer(request)]


def text(events: list[Event]) -> str:
    return "".join(event.text for event in events if isinstance(event, ContentDelta))


@dataclass
class Stuck(World):
    """A world in which a plugin hangs, for the model of that name, until it is let go."""

    hanging: str = ""
    hangs: Flag = field(default_factory=Flag)
    goes_on: Flag = field(default_factory=Flag)

    @cached_property
    def engine(self) -> CorralEngine:
        return super().engine

    def resolve(self, name: str) -> ModelSpec:
        return model_spec(name)

    def parser_support(self, model: ModelSpec) -> ParserSupport:
        self._hang(model, "parser_support")
        return super().parser_support(model)

    def render_prompt(self, model: ModelSpec, conversation: Conversation) -> Prompt:
        self._hang(model, "render_prompt")
        return super().render_prompt(model, conversation)

    def _hang(self, model: ModelSpec, hook: str) -> None:
        if model.name == "stuck" and hook == self.hanging:
            self.hangs.set()
            self.goes_on.wait(20)


@pytest.mark.parametrize("hook", ["parser_support", "render_prompt"])
async def test_a_plugin_that_hangs_holds_up_its_own_model_only(hook: str) -> None:
    world = Stuck(ScriptedRunner(["a"]), hanging=hook)
    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        stuck = [group.create_task(collect(world, ask("hi", model="stuck"))) for _ in range(99)]
        await asyncio.to_thread(world.hangs.wait, 20)
        events = await collect(world, ask("hi", model="good"))
        is_anyone_done = any(task.done() for task in stuck)
        world.goes_on.set()
    assert text(events) == "A"
    assert not is_anyone_done


async def test_counting_tokens_does_not_let_the_model_go_before_the_answer() -> None:
    world = World(ScriptedRunner(["a"]))
    request = ask("hello", keep_alive_s=0.0)

    await world.engine.count_tokens(request)
    await collect(world, request)

    assert world.keep_alives == [None, 0.0]


async def test_an_answer_is_rendered_generated_parsed_and_finished() -> None:
    world = World(ScriptedRunner(["a", "b"]))

    events = await collect(world, ask("hello"))

    assert text(events) == "AB"
    finish = events[-1]
    assert isinstance(finish, Finish)
    assert (finish.reason, finish.usage.completion_tokens, finish.usage.load_s, finish.usage.queue_s) == ("stop", 2, 0.5, 0.25)
    assert world.released == 1


async def test_raw_mode_skips_rendering_and_parsing() -> None:
    world = World(ScriptedRunner(["a"]))

    events = await collect(world, ask("ignored", raw="<|im_start|>"))

    assert text(events) == "a"
    assert not world.rendered
    assert world.runner.generations[0].prompt == Prompt(segments=(Segment("<|im_start|>"),))


async def test_a_call_keeps_one_id_from_start_to_end() -> None:
    events = await collect(World(ScriptedRunner(["CALL"])), ask("hello"))

    ids = {event.id for event in events if isinstance(event, ToolCallStart | ToolCallEnd)}
    assert len(ids) == 1
    assert ids.pop().startswith("call_")


async def test_the_model_s_system_and_messages_come_before_the_request_s() -> None:
    model = replace(model_spec(), system="be kind", messages=(Message(role="user", content="canned"),))
    world = World(ScriptedRunner(), model=model)

    await collect(world, ask("hello"))

    assert [m.content for m in world.rendered[-1][1].messages] == ["be kind", "canned", "hello"]


async def test_a_request_s_own_system_replaces_the_model_s() -> None:
    model = replace(model_spec(), system="be kind", messages=(Message(role="user", content="canned"),))
    world = World(ScriptedRunner(), model=model)
    own = Conversation(messages=(Message(role="system", content="be rude"), Message(role="user", content="hello")))

    await collect(world, Request(model="test", conversation=own))

    assert [m.content for m in world.rendered[-1][1].messages] == ["be rude", "canned", "hello"]


async def test_options_of_the_request_reach_runner_and_scheduler() -> None:
    model = replace(model_spec(), parameters={"temperature": 0.1, "num_ctx": 512})
    world = World(ScriptedRunner(), model=model)
    own = Conversation(messages=(Message(role="user", content="x"),), options={"temperature": 0.7})

    await collect(world, Request(model="test", conversation=own))

    assert world.runner.generations[0].sampling.temperature == 0.7
    assert world.leased[0].load is not None
    assert world.leased[0].load.num_ctx == 512


async def test_a_long_history_loses_its_oldest_turns_and_says_so() -> None:
    world = World(ScriptedRunner(context_tokens=10))

    events = await collect(world, ask("one two three", "four five six", "seven eight nine"))

    assert world.runner.generations[0].prompt.text == "user: four five six user: seven eight nine "
    assert events[0] == Diagnostic("history_truncated", "1 oldest turns were dropped to fit the context")


async def test_without_truncation_a_long_history_is_refused_with_its_counts() -> None:
    world = World(ScriptedRunner(context_tokens=10))

    with pytest.raises(ContextExceeded, match="12 tokens and the context holds 10"):
        await collect(world, ask("one two three", "four five six", "seven eight nine", truncate=False))

    assert world.released == 1


async def test_notices_of_the_lease_and_the_runner_are_diagnostics_of_the_answer() -> None:
    runner = ScriptedRunner([Notice(code="context_shifted", message="the window slid"), "a"])
    world = World(runner, notices=(Notice(code="partial_offload", message="2 of 3 layers"),))

    events = await collect(world, ask("hello"))

    assert [event.code for event in events if isinstance(event, Diagnostic)] == ["partial_offload", "context_shifted"]


async def test_what_a_runner_says_after_it_was_done_is_no_part_of_the_answer() -> None:
    """F48."""

    class Talkative(ScriptedRunner):
        async def generate(self, generation: Generation) -> AsyncGenerator[Output, None]:
            yield Piece("all")
            yield Done(reason="stop", usage=Usage())
            yield Piece("and more")
            raise AssertionError("it was asked to go on")

    events = await collect(World(Talkative()), ask("hello"))

    assert text(events) == "ALL"
    assert isinstance(events[-1], Finish)


async def test_closing_an_answer_cancels_the_generation_and_ends_the_lease() -> None:
    world = World(ScriptedRunner(["a", "b", "c", "d"]))

    async with aclosing(world.engine.answer(ask("hello"))) as events:
        await anext(events)

    assert (world.runner.cancelled, world.released) == (1, 1)


async def test_a_runner_that_dies_fails_the_request_and_ends_the_lease() -> None:
    world = World(ScriptedRunner(["a", RunnerDied("out of luck")]))

    with pytest.raises(RunnerDied, match="out of luck"):
        await collect(world, ask("hello"))

    assert world.released == 1


class Thinker:
    """Thinks until it reads </think>; holds back a tag's beginning."""

    def __init__(self) -> None:
        self._thinks = True

    def feed(self, piece: str) -> list[ParserEvent]:
        if piece == "<think>":
            return []
        if piece == "</think>":
            self._thinks = False
            return [ThinkingEnd(), Diagnostic("skipped", "a tag")]
        return [ThinkingDelta(piece) if self._thinks else ContentDelta(piece)]

    def finish(self, reason: FinishReason) -> list[ParserEvent]:
        return [ThinkingDelta("...")] if self._thinks else []


@pytest.mark.parametrize(
    ("pieces", "thinking"),
    [
        ([("<think>", 1), ("hm", 2), ("</think>", 1), ("yes", 3)], 4),
        ([("</think>", 1), ("yes", 3)], 1),
        ([("hm", 2), ("<think>", 5)], 7),
        ([], 0),
    ],
    ids=["thinks", "does not think", "is cut while it thinks", "says nothing"],
)
def test_the_tokens_that_became_thinking_are_counted_with_their_tags(pieces: list[tuple[str, int]], thinking: int) -> None:
    reading = Reading(Thinker(), Random(1))
    for text, tokens in pieces:
        list(reading.read(Piece(text, tokens=tokens)))

    *_, finish = reading.finish(queue_s=0, load_s=0, total_s=0)

    assert isinstance(finish, Finish)
    assert finish.usage.thinking_tokens == thinking


async def test_thinking_is_on_by_default_where_the_parser_knows_it() -> None:
    world = World(ScriptedRunner(), support=ParserSupport(thinking="optional"))

    await collect(world, ask("hello"))

    assert world.rendered[-1][1].think is True


@pytest.mark.parametrize(
    ("support", "changes", "error", "message"),
    [
        (ParserSupport(), {"think": True}, Unsupported, '"test:latest" does not support thinking'),
        (ParserSupport(), {"tools": (TOOL,)}, Unsupported, '"test:latest" does not support tools'),
        (ParserSupport(tools=True), {"tools": (TOOL,), "tool_choice": "required"}, Unsupported, "can't force tool calls"),
        (ParserSupport(tools=True, constrains=True), {"tool_choice": "required"}, InvalidInput, "there are no tools"),
        (
            ParserSupport(tools=True, constrains=True),
            {"tools": (TOOL,), "tool_choice": NamedTool(name="sub")},
            InvalidInput,
            "names 'sub', which is not among the tools: add",
        ),
    ],
)
async def test_what_the_model_can_t_do_is_refused_before_it_is_loaded(
    support: ParserSupport, changes: dict[str, object], error: type[Exception], message: str
) -> None:
    world = World(ScriptedRunner(), support=support)
    conversation = replace(Conversation(messages=(Message(role="user", content="x"),)), **changes)  # type: ignore[arg-type]

    with pytest.raises(error, match=message):
        await collect(world, Request(model="test", conversation=conversation))

    assert not world.leased


async def test_a_conversation_that_the_template_refuses_is_refused_before_the_model_is_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> Prompt:
        raise InvalidInput("roles must alternate")

    world = World(ScriptedRunner())
    monkeypatch.setattr(world, "render_prompt", refuse)

    with pytest.raises(InvalidInput, match="alternate"):
        await collect(world, ask("x"))

    assert not world.leased


async def test_rendering_alone_loads_nothing_when_the_prompt_surely_fits() -> None:
    world = World(ScriptedRunner())
    conversation = Conversation(messages=(Message(role="user", content="x"),), options={"num_ctx": 100})

    rendered = await world.engine.render(Request(model="test", conversation=conversation))

    assert rendered.prompt.text == "user: x "
    assert not world.leased


async def test_rendering_alone_trims_like_the_real_answer() -> None:
    world = World(ScriptedRunner(context_tokens=10))

    rendered = await world.engine.render(ask("one two three", "four five six", "seven eight nine"))

    assert (rendered.prompt.text, rendered.dropped) == ("user: four five six user: seven eight nine ", 1)


async def test_tokens_are_counted_by_the_runner_before_any_trimming() -> None:
    world = World(ScriptedRunner(context_tokens=10))

    assert await world.engine.count_tokens(ask("one two three", "four five six", "seven eight nine")) == 12
    assert len(await world.engine.tokenize("test", "one two")) == 2


async def test_loading_gives_the_time_it_took() -> None:
    world = World(ScriptedRunner())

    assert await world.engine.load("test", {"num_ctx": 256}, None) == 0.5
    assert world.leased[0].load is not None
    assert world.leased[0].load.num_ctx == 256


async def test_embedding_goes_through_a_lease() -> None:
    world = World(ScriptedRunner())

    embedded = await world.engine.embed(EmbedRequest(model="test", inputs=("one two", "three")))

    assert (len(embedded.embeddings.vectors), embedded.embeddings.prompt_tokens, embedded.load_s) == (2, 3, 0.5)


async def test_a_model_is_asked_only_for_what_it_is_for() -> None:
    encoder = World(ScriptedRunner(), model=used_for(is_embedding=True))
    ranker = World(ScriptedRunner(), model=used_for(is_embedding=True, is_reranker=True))

    with pytest.raises(Unsupported, match="does not support chat or generate; it makes embeddings"):
        await anext(encoder.engine.answer(ask("hello")))
    with pytest.raises(Unsupported, match="does not support rerank; it makes embeddings"):
        await encoder.engine.rerank(RANK)
    with pytest.raises(Unsupported, match="does not support embed; it ranks documents"):
        await ranker.engine.embed(EmbedRequest(model="test", inputs=("a",)))
    assert not encoder.leased
    assert not ranker.leased


async def test_documents_are_ranked_by_a_runner_that_can() -> None:
    class Ranker(ScriptedRunner):
        async def rerank(self, query: str, documents: Sequence[str], *, truncate: bool = False) -> Relevance:
            return Relevance(scores=tuple(len(text) / 10 for text in documents), prompt_tokens=3)

    model = used_for(is_embedding=True, is_reranker=True)

    reranked = await World(Ranker(), model=model).engine.rerank(RANK)

    assert (reranked.relevance.scores, reranked.load_s) == ((0.1, 0.2), 0.5)
    with pytest.raises(Unsupported, match="runner 'scripted' can't rank documents"):
        await World(ScriptedRunner(), model=model).engine.rerank(RANK)


async def test_answers_tokens_and_diagnostics_are_counted() -> None:
    world = World(ScriptedRunner([Notice(code="context_shifted", message="x"), "a", "b"]))
    engine = world.engine

    async for _ in engine.answer(ask("hello")):
        pass

    statistics = engine.statistics()
    assert statistics["corral_answers_total"] == 1
    assert statistics["corral_completion_tokens_total"] == 2
    assert statistics['corral_diagnostics_total{code="context_shifted"}'] == 1
    assert statistics["corral_queue_length"] == 0
