"""Answer requests: resolve, render, lease, generate, parse."""

from __future__ import annotations

import asyncio
import random
from contextlib import aclosing
from dataclasses import dataclass, replace
from time import perf_counter
from typing import TYPE_CHECKING, Protocol

from corral.api import Embedded, Rendered, Reranked
from corral.conversation import Prompt, Segment
from corral.engine.constraint import constraint
from corral.engine.counters import Counters
from corral.engine.effective import (
    check_embeds,
    check_ranks,
    check_writes,
    effective_conversation,
    effective_model,
    effective_options,
)
from corral.engine.reading import Reading
from corral.engine.trimming import droppable_turns, fewest_dropped, without_oldest
from corral.engine.turns import Turns
from corral.errors import ContextExceeded, Unsupported
from corral.events import Diagnostic
from corral.runners import Generation, Notice, Reranker

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
    from contextlib import AbstractAsyncContextManager

    from corral.api import EmbedRequest, Library, Request, RerankRequest, RunningModel
    from corral.conversation import Conversation, JsonObject
    from corral.devices import Device
    from corral.events import Event, OutputParser
    from corral.options import Options
    from corral.plugins import PluginHost
    from corral.runners import Runner
    from corral.scheduler import Lease
    from corral.settings import Settings
    from corral.spec import ModelSpec


class Lender(Protocol):
    """What the engine needs of the scheduler."""

    def lease(self, model: ModelSpec, *, keep_alive_s: float | None) -> AbstractAsyncContextManager[Lease]:
        """Lend the model's runner for one request."""

    def running(self) -> Sequence[RunningModel]:
        """Return a snapshot of the loaded models."""

    async def expire(self, model: ModelSpec) -> None:
        """Let a model go as soon as it is idle."""

    def statistics(self) -> Mapping[str, float]:
        """Return counters and gauges."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    """A request made concrete for its model, with its prompt before any trimming."""

    request: Request
    model: ModelSpec
    options: Options
    conversation: Conversation
    prompt: Prompt


class CorralEngine:
    """The engine that `serve` and `run` hand to the APIs; see `corral.api.Engine`."""

    def __init__(
        self,
        *,
        library: Library,
        host: PluginHost,
        scheduler: Lender,
        devices: Callable[[], Awaitable[Sequence[Device]]],
        settings: Settings,
    ) -> None:
        self._library = library
        self._host = host
        self._scheduler = scheduler
        self._devices = devices
        self._settings = settings
        self._counters = Counters()
        self._turns = Turns()
        self._random = random.SystemRandom()

    @property
    def library(self) -> Library:
        """Return the models on disk."""
        return self._library

    async def answer(self, request: Request) -> AsyncGenerator[Event, None]:
        """Yield the events of an answer; the last one is a Finish."""
        started = perf_counter()
        plan = await self._plan(request)
        async with self._lease(plan) as lease:
            rendered = await self._prompt(plan, lease.runner)
            reading = Reading(self._parser(plan, rendered.prompt), self._random)
            for notice in (*lease.notices, *_dropped_notice(rendered)):
                yield self._counters.note(Diagnostic(notice.code, notice.message))
            generation = self._generation(plan, rendered.prompt, reading.parser)
            async with aclosing(lease.runner.generate(generation)) as outputs:
                async for output in outputs:
                    for event in reading.read(output):
                        yield self._counters.note(event)
                    if reading.is_over:
                        break
        for event in reading.finish(queue_s=lease.queue_s, load_s=lease.load_s, total_s=perf_counter() - started):
            yield self._counters.note(event)

    async def render(self, request: Request) -> Rendered:
        """Return the prompt that a request would send; the model is loaded only when its tokens must be counted."""
        plan = await self._plan(request)
        if not request.truncate or _surely_fits(plan.prompt, plan.options.load.num_ctx):
            return Rendered(prompt=plan.prompt)
        async with self._lease(plan) as lease:
            return await self._prompt(plan, lease.runner)

    async def count_tokens(self, request: Request) -> int:
        """Return the number of tokens of a request's prompt, before any trimming."""
        plan = await self._plan(request)
        # Whoever counts asks next; a model that shall go after that answer must not go, and come again, before it.
        async with self._scheduler.lease(plan.model, keep_alive_s=None) as lease:
            return len(await lease.runner.tokenize(plan.prompt))

    async def tokenize(self, model: str, text: str) -> list[int]:
        """Return the tokens of plain text."""
        async with self._scheduler.lease(await self._loadable(model, {}), keep_alive_s=None) as lease:
            return await lease.runner.tokenize(_raw_prompt(text))

    async def embed(self, request: EmbedRequest) -> Embedded:
        """Return a vector for each input."""
        started = perf_counter()
        model = await self._loadable(request.model, request.options)
        check_embeds(model)
        async with self._scheduler.lease(model, keep_alive_s=request.keep_alive_s) as lease:
            embeddings = await lease.runner.embed(request.inputs, truncate=request.truncate)
        self._count(embeddings.notices)
        return Embedded(embeddings=embeddings, load_s=lease.load_s, total_s=perf_counter() - started)

    async def rerank(self, request: RerankRequest) -> Reranked:
        """Return a score for each document; raise Unsupported for a model that does not rank."""
        started = perf_counter()
        model = await self._loadable(request.model, request.options)
        check_ranks(model)
        async with self._scheduler.lease(model, keep_alive_s=request.keep_alive_s) as lease:
            if not isinstance(lease.runner, Reranker):
                raise Unsupported(f"runner '{model.runner.name}' can't rank documents; llama-cpp can")
            relevance = await lease.runner.rerank(request.query, request.documents, truncate=request.truncate)
        self._count(relevance.notices)
        return Reranked(relevance=relevance, load_s=lease.load_s, total_s=perf_counter() - started)

    async def load(self, model: str, options: JsonObject, keep_alive_s: float | None) -> float:
        """Load a model if it is not, and return the seconds that took."""
        async with self._scheduler.lease(await self._loadable(model, options), keep_alive_s=keep_alive_s) as lease:
            return lease.load_s

    async def unload(self, model: str) -> None:
        """Let a model go as soon as it is idle."""
        await self._scheduler.expire(await asyncio.to_thread(self._library.resolve, model))

    def running(self) -> Sequence[RunningModel]:
        """Return a snapshot of the loaded models."""
        return self._scheduler.running()

    async def devices(self) -> Sequence[Device]:
        """Return the devices, with fresh memory figures."""
        return await self._devices()

    def statistics(self) -> Mapping[str, float]:
        """Return counters and gauges of the engine, the scheduler and the plugins."""
        return {**self._counters.values(), **self._scheduler.statistics(), **self._host.statistics()}

    def _count(self, notices: Sequence[Notice]) -> None:
        for notice in notices:
            self._counters.note(Diagnostic(notice.code, notice.message))

    def _lease(self, plan: _Plan) -> AbstractAsyncContextManager[Lease]:
        return self._scheduler.lease(plan.model, keep_alive_s=plan.request.keep_alive_s)

    async def _loadable(self, name: str, options: JsonObject) -> ModelSpec:
        model = await asyncio.to_thread(self._library.resolve, name)
        return replace(model, load=effective_options(self._settings, model, options).load)

    async def _plan(self, request: Request) -> _Plan:
        """Make a request concrete; what can't be asked of a model is told before the model is loaded."""
        return await self._turns.run(request.model, lambda: self._planned(request))

    def _planned(self, request: Request) -> _Plan:
        resolved = self._library.resolve(request.model)
        check_writes(resolved)
        options = effective_options(self._settings, resolved, request.conversation.options)
        model = effective_model(resolved, request, options)
        conversation, prompt = request.conversation, _raw_prompt(request.raw or "")
        if request.raw is None:
            conversation = effective_conversation(model, self._host.parser_support(model), request)
            prompt = self._host.render_prompt(model, conversation)
        return _Plan(request=request, model=model, options=options, conversation=conversation, prompt=prompt)

    async def _without_oldest(self, plan: _Plan, dropped: int) -> Prompt:
        conversation = replace(plan.conversation, messages=without_oldest(plan.conversation.messages, dropped))
        return await self._turns.run(plan.request.model, lambda: self._host.render_prompt(plan.model, conversation))

    async def _prompt(self, plan: _Plan, runner: Runner) -> Rendered:
        """Return the prompt, without the fewest oldest turns that must go for the rest to fit the runner's context."""
        limit = runner.info.context_tokens
        if plan.request.raw is not None or _surely_fits(plan.prompt, limit):
            return Rendered(prompt=plan.prompt)
        tokens = len(await runner.tokenize(plan.prompt))
        if tokens < limit:
            return Rendered(prompt=plan.prompt)
        if not plan.request.truncate:
            raise ContextExceeded(tokens=tokens, context=limit)

        async def fits(dropped: int) -> bool:
            return len(await runner.tokenize(await self._without_oldest(plan, dropped))) < limit

        dropped = await fewest_dropped(fits, droppable_turns(plan.conversation.messages))
        return Rendered(prompt=await self._without_oldest(plan, dropped), dropped=dropped)

    def _parser(self, plan: _Plan, prompt: Prompt) -> OutputParser | None:
        if plan.request.raw is not None:
            return None
        return self._host.parse_output(plan.model, plan.conversation, prompt)

    def _generation(self, plan: _Plan, prompt: Prompt, parser: OutputParser | None) -> Generation:
        return Generation(
            prompt=prompt,
            sampling=plan.options.sampling,
            grammar=constraint(plan.conversation, parser),
            logprobs=plan.request.logprobs,
            truncate=plan.request.truncate,
            shift=plan.request.shift,
            context=plan.request.context or (),
        )


def _raw_prompt(text: str) -> Prompt:
    return Prompt(segments=(Segment(text),))


def _surely_fits(prompt: Prompt, context: int | None) -> bool:
    # A token stands for at least one byte, so short prompts need no round trip to the runner. Media count for more than their tag.
    return context is not None and not prompt.media and len(prompt.text.encode()) < context


def _dropped_notice(rendered: Rendered) -> tuple[Notice, ...]:
    if not rendered.dropped:
        return ()
    return (Notice(code="history_truncated", message=f"{rendered.dropped} oldest turns were dropped to fit the context"),)
