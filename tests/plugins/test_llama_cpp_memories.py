"""The llama.cpp runner with models whose memory can't be cut anywhere: what the cache spares changes no answer.

The models are small and random; the library itself, with one sequence and an empty cache, says what they answer.
"""

from __future__ import annotations

import asyncio
import json
import random
import subprocess
import sys
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import tiny_models
from tiny_models import CHUNK, END, START, WRITERS

from corral.conversation import Prompt, Segment, SegmentKind
from corral.devices import Placement
from corral.options import LoadOptions, Sampling
from corral.runners import Done, Generation
from corral.settings import Settings
from corral.spec import Choice, ModelFacts, ModelSpec, Origin
from corral_llama_cpp import spawn_runner
from corral_llama_cpp.engine.checkpoints import TAIL

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from corral.runners import Runner

CONTEXT = 384
NAME = Choice(name="llama-cpp", origin=Origin.DEFAULT)
#: Logits differ in their last digits with the order of the cache's cells; a lead that small may turn round. They spread by 1.
NEAR_TIE = 0.01
STATEFUL = ("mamba", "hybrid")


class Oracle:
    """The bare library in a process of its own."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def check(self, prompt: list[int], answer: list[int], count: int, *, is_endless: bool) -> None:
        """Compare an answer with the bare library's."""
        question = {"prompt": prompt, "count": count, "is_endless": is_endless}
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        expected = json.loads(self._process.stdout.readline())
        differing = ((got, lead) for got, (token, lead) in zip(answer, expected, strict=False) if got != token)
        _, lead = next(differing, (0, None))
        assert lead is None or lead < NEAR_TIE
        assert lead is not None or len(answer) == len(expected)


@dataclass
class Desk:
    """A loaded model, and who knows its answers."""

    kind: str
    path: Path
    oracle: Oracle

    @asynccontextmanager
    async def runner(self, home: Path, *, slots: int = 3, parking_bytes: int = 1 << 20, draft: Path | None = None) -> AsyncIterator[Runner]:
        model = ModelSpec(
            name="m",
            digest="0" * 64,
            path=self.path,
            facts=ModelFacts(architecture="any"),
            renderer=NAME,
            parser=NAME,
            runner=NAME,
            load=LoadOptions(),
            draft=draft,
        )
        placement = Placement(
            shares=(),
            total_layers=3,
            host_bytes=0,
            context_tokens=CONTEXT,
            parallel=slots,
            batch_tokens=CHUNK,
            threads=1,
            parking_bytes=parking_bytes,
        )
        async with asyncio.timeout(60), spawn_runner(model, placement, Settings(home=home)) as runner:
            yield runner

    async def ask(self, runner: Runner, segments: list[Segment], count: int, *, is_endless: bool = False) -> tuple[Done, str]:
        """Ask, compare, and return the end and the text of an answer."""
        prompt = Prompt(segments=tuple(segments))
        done = await finish(runner, prompt, Sampling(temperature=0, num_predict=count, ignore_eos=is_endless))
        tokens = list(await runner.tokenize(prompt))
        answer = list(done.tokens[len(tokens) :])
        self.oracle.check(tokens, answer, count, is_endless=is_endless)
        return done, await runner.detokenize([token for token in answer if token > 1])


async def finish(runner: Runner, prompt: Prompt, sampling: Sampling, *, shift: bool = True) -> Done:
    async for output in runner.generate(Generation(prompt=prompt, sampling=sampling, shift=shift)):
        if isinstance(output, Done):
            return output
    raise AssertionError("the answer has no end")


@pytest.fixture(scope="module", params=WRITERS)
def desk(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    path = WRITERS[request.param](tmp_path_factory.mktemp(request.param) / f"{request.param}.gguf")
    command = [sys.executable, Path(tiny_models.__file__).with_name("plain_decode.py"), path]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield Desk(request.param, path, Oracle(process))
        process.stdin.close()


def turn(role: str, text: str) -> list[Segment]:
    return [Segment(f"{START}{role}\n"), Segment(text, SegmentKind.USER), Segment(f"{END}\n")]


ASSISTANT = Segment(f"{START}assistant\n")
SYSTEM = turn("system", "You are a tester of caches who never gets tired of the same words, and has many of them to say.")


def words(chance: random.Random, count: int) -> str:
    return " ".join("".join(chance.choices("abcdefgh", k=chance.randint(1, 6))) for _ in range(count))


@pytest.mark.parametrize("parking_bytes", [0, 100_000])
async def test_a_crowd_of_conversations_gets_the_answers_of_one_alone(desk, tmp_path, parking_bytes):
    """Prefixes are shared, parked and gone back to; some requests are cancelled in the middle."""
    chance = random.Random(parking_bytes)
    systems = [turn("system", words(chance, 15)) for _ in range(3)]

    async def converse(runner: Runner, chance: random.Random) -> int:
        said, spared = list(chance.choice(systems)), 0
        for _ in range(3):
            said += [*turn("user", words(chance, chance.randint(2, 6))), ASSISTANT]
            if chance.random() < 0.3:
                await give_up(runner, said, chance.randint(1, 20) / 1000)
            done, text = await desk.ask(runner, said, chance.randint(1, 25))
            spared += done.usage.cached_tokens
            said += [Segment(text, SegmentKind.USER), Segment(f"{END}\n")]
        return spared

    async with desk.runner(tmp_path, parking_bytes=parking_bytes) as runner:
        crowds = [[converse(runner, random.Random(chance.random())) for _ in range(5)] for _ in range(2)]
        spared = [sum(await asyncio.gather(*crowd)) for crowd in crowds]

    # That the answers are right, `ask` has checked; this says that it was a cache that gave them.
    assert min(spared) > 0


async def give_up(runner: Runner, segments: list[Segment], seconds: float) -> None:
    sampling = Sampling(temperature=0, num_predict=200, ignore_eos=True)
    try:
        async with asyncio.timeout(seconds):
            await finish(runner, Prompt(segments=tuple(segments)), sampling)
    except TimeoutError:
        return


async def test_the_next_turn_evaluates_only_what_is_new(desk, tmp_path):
    """The first answer is left out of the second prompt, as the thoughts of a model are."""
    first = [*SYSTEM, *turn("user", "say something about the weather of tomorrow"), ASSISTANT]
    second = [*first, Segment("It will rain."), *turn("user", "and the day after?"), ASSISTANT]

    async with desk.runner(tmp_path) as runner:
        done, _ = await desk.ask(runner, first, 20)
        again, _ = await desk.ask(runner, second, 20)

    assert again.usage.cached_tokens >= done.usage.prompt_tokens - TAIL


async def test_another_question_evaluates_only_the_question(desk, tmp_path):
    head = [*SYSTEM, Segment(f"{START}user\n")]

    async with desk.runner(tmp_path) as runner:
        shared = len(await runner.tokenize(Prompt(segments=tuple(head))))
        await desk.ask(runner, [*head, Segment("What is the name of this city?" * 2, SegmentKind.USER), ASSISTANT], 20)
        done, _ = await desk.ask(runner, [*head, Segment("How are you?", SegmentKind.USER), ASSISTANT], 20)

    assert done.usage.cached_tokens >= shared - 2


async def test_questions_at_once_evaluate_what_they_share_once(desk, tmp_path):
    async with desk.runner(tmp_path, slots=4) as runner:
        shared = len(await runner.tokenize(Prompt(segments=tuple(SYSTEM))))
        answers = await asyncio.gather(*(desk.ask(runner, [*SYSTEM, *turn("user", word), ASSISTANT], 10) for word in "abcd"))

    # Who comes when the first answer is over goes on from the checkpoint before its last message, a few tokens earlier.
    assert sum(done.usage.cached_tokens for done, _ in answers) >= 3 * (shared - 10)


async def test_a_parked_conversation_goes_on(desk, tmp_path):
    first = [*SYSTEM, *turn("user", "first" * 5), ASSISTANT]

    async with desk.runner(tmp_path, slots=1) as runner:
        done, text = await desk.ask(runner, first, 20, is_endless=True)
        for number in range(6):
            await desk.ask(runner, turn("user", f"{number} is something else " * 12), 5)
        again, _ = await desk.ask(runner, [*first, Segment(text, SegmentKind.USER), *turn("user", "go on")], 20)

    # Random bytes may not survive being written as text; then the prompts part where the answer begins.
    stays = 0 if desk.kind == "sliding" else done.usage.prompt_tokens - TAIL
    assert again.usage.cached_tokens >= stays


async def test_guesses_are_undone_exactly_or_not_made(desk, tmp_path):
    prompt = [*turn("user", "again and again and again and once more and again and again " * 3), ASSISTANT]

    async with desk.runner(tmp_path) as runner:
        guessed = [await desk.ask(runner, prompt, count, is_endless=True) for count in (120, 60, 120)]

    drafted = sum(done.usage.draft_tokens for done, _ in guessed)
    accepted = sum(done.usage.accepted_tokens for done, _ in guessed)
    assert (drafted > accepted) if desk.kind == "sliding" else drafted == 0


async def test_a_draft_model_is_asked_only_where_its_guesses_can_be_undone(desk, tmp_path):
    async with desk.runner(tmp_path, draft=desk.path) as runner:
        await desk.ask(runner, [*SYSTEM, ASSISTANT], 40)
        codes = [notice.code for notice in runner.info.notices]

    assert codes == (["draft_ignored"] if desk.kind in STATEFUL else [])


async def test_a_full_context_ends_the_answer_or_is_evaluated_again(desk, tmp_path):
    prompt = Prompt(segments=(*SYSTEM, *turn("user", "go on for ever"), ASSISTANT))
    sampling = Sampling(temperature=0, num_predict=CONTEXT, num_keep=4, ignore_eos=True)

    async with desk.runner(tmp_path) as runner:
        ended = await finish(runner, prompt, sampling, shift=False)
        slid = await finish(runner, prompt, sampling)
        await desk.ask(runner, [*SYSTEM, *turn("user", "and after that?"), ASSISTANT], 20)

    tokens, start = list(slid.tokens), slid.usage.prompt_tokens
    assert (ended.reason, len(ended.tokens)) == ("length", CONTEXT + 1)
    for answer in (list(ended.tokens), tokens[: CONTEXT + 1]):
        desk.oracle.check(answer[:start], answer[start:], CONTEXT + 1 - start, is_endless=True)
    if desk.kind in STATEFUL:
        # Cells of attention are moved, and still know of what went; these models are given the rest again.
        kept = tokens[:4] + tokens[4 + (CONTEXT - 4) // 2 : CONTEXT + 1]
        desk.oracle.check(kept, tokens[CONTEXT + 1 :], len(tokens) - CONTEXT - 1, is_endless=True)
