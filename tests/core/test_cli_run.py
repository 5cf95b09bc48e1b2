"""`corral run`: one answer, and a chat of many."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from corral.api import ModelSummary
from corral.cli import backend, printing, run
from corral.cli.invocation import Invocation
from corral.cli.repl import Repl
from corral.cli.session import Session, read_format, read_think
from corral.client import ShownModel
from corral.conversation import Message
from corral.errors import CorralError, InvalidInput, ModelNotFound, SourceError
from corral.events import ContentDelta, Diagnostic, Finish, ThinkingDelta, ThinkingEnd, ToolCallEnd, Usage
from corral.fetching import Progress

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from pathlib import Path

    from corral.api import CreateRequest, Request
    from corral.events import Event

FINISH = Finish("stop", Usage(prompt_tokens=2, completion_tokens=4, completion_s=2.0, total_s=3.0))


class FakeTalker:
    """Answers with scripted events and keeps what it was asked. Satisfies `corral.cli.backend.Talker`."""

    def __init__(
        self, *answers: Sequence[Event | asyncio.Event], installed: bool = True, capabilities: tuple[str, ...] = ("completion",)
    ) -> None:
        self._answers = list(answers)
        self.installed = installed
        self.capabilities = capabilities
        self.requests: list[Request] = []
        self.created: list[CreateRequest] = []
        self.loaded: list[str] = []
        self.closed = 0

    async def answer(self, request: Request) -> AsyncIterator[Event]:
        self.requests.append(request)
        try:
            for event in self._answers.pop(0):
                if isinstance(event, asyncio.Event):
                    os.kill(os.getpid(), signal.SIGINT)
                    await event.wait()
                else:
                    yield event
        finally:
            self.closed += 1

    async def show(self, name: str, *, verbose: bool = False) -> ShownModel:
        if not self.installed:
            raise ModelNotFound(name)
        return ShownModel(
            family="llama",
            parameter_size="135M",
            quantization="Q4_1",
            capabilities=self.capabilities,
            choices={},
            modelfile="FROM x",
            parameters="",
            template="",
            system="",
            license="",
            requires="",
            metadata={},
        )

    async def pull(self, reference: str) -> AsyncIterator[Progress]:
        self.installed = True
        yield Progress("pulling manifest")
        yield Progress("success")

    async def create(self, request: CreateRequest) -> AsyncIterator[Progress]:
        self.created.append(request)
        yield Progress("success")

    async def load(self, model: str, keep_alive_s: float | None = None) -> None:
        self.loaded.append(model)

    async def embed(self, model: str, text: str) -> Sequence[float]:
        return [0.6, 0.8]

    async def summaries(self) -> list[ModelSummary]:
        return []

    async def copy(self, source: str, destination: str) -> None: ...

    async def delete(self, name: str) -> None: ...

    async def unload(self, model: str) -> None: ...

    async def has_blob(self, digest: str) -> bool:
        return True

    async def add_blob(self, digest: str, path: Path) -> None: ...


class Script:
    """A person who types these lines; an exception is raised instead."""

    def __init__(self, *lines: str | type[BaseException]) -> None:
        self._lines = list(lines)
        self.prompts: list[str] = []

    async def read(self, prompt: str) -> str:
        self.prompts.append(prompt)
        line = self._lines.pop(0) if self._lines else EOFError
        if isinstance(line, str):
            return line
        raise line


async def chat(talker: FakeTalker, *lines: str | type[BaseException], session: Session | None = None) -> Session:
    session = session or Session(model="m")
    await Repl(talker, session, Script(*lines)).run()
    return session


def contents(request: Request) -> list[tuple[str, str]]:
    return [(message.role, message.content) for message in request.conversation.messages]


# A chat


async def test_each_turn_remembers_the_ones_before(capsys: pytest.CaptureFixture[str]) -> None:
    talker = FakeTalker([ContentDelta("Hi"), ContentDelta("!"), FINISH], [ContentDelta("Bye."), FINISH])

    await chat(talker, "hello", "and now?", "/bye", "never read")

    assert contents(talker.requests[1]) == [("user", "hello"), ("assistant", "Hi!"), ("user", "and now?")]
    assert capsys.readouterr().out == "Hi!\nBye.\n"


async def test_a_fenced_message_has_many_lines() -> None:
    talker = FakeTalker([FINISH], [FINISH])

    await chat(talker, '"""first', "second", 'third"""', '"""one line"""')

    assert contents(talker.requests[0]) == [("user", "first\nsecond\nthird")]
    assert contents(talker.requests[1])[-1] == ("user", "one line")


async def test_clear_forgets_what_was_said_but_not_the_system_message(capsys: pytest.CaptureFixture[str]) -> None:
    talker = FakeTalker([ContentDelta("Hi"), FINISH], [FINISH])

    await chat(talker, '/set system "Be brief."', "hello", "/clear", "again")

    assert contents(talker.requests[1]) == [("system", "Be brief."), ("user", "again")]
    assert "Set system message.\n" in capsys.readouterr().out


async def test_ctrl_c_ends_the_answer_and_not_the_chat() -> None:
    never = asyncio.Event()
    talker = FakeTalker([ContentDelta("Hel"), never], [ContentDelta("Still here."), FINISH])

    session = await chat(talker, "hello", "still there?")

    assert talker.closed == 2
    assert session.messages[1] == Message(role="assistant", content="Hel")
    assert session.messages[3] == Message(role="assistant", content="Still here.")


async def test_ctrl_c_at_the_prompt_says_how_to_leave(capsys: pytest.CaptureFixture[str]) -> None:
    await chat(FakeTalker(), KeyboardInterrupt, "/exit")

    assert "Use Ctrl + d or /bye to exit." in capsys.readouterr().out


async def test_an_error_does_not_end_the_chat(capsys: pytest.CaptureFixture[str]) -> None:
    class Failing(FakeTalker):
        async def answer(self, request: Request) -> AsyncIterator[Event]:
            raise ModelNotFound("m")
            yield FINISH

    await chat(Failing(), "hello", "/nonsense", "/set", "/show nothing", "/bye")

    assert capsys.readouterr().err.splitlines() == [
        "Error: model 'm' not found (try: corral pull m)",
        "Error: Unknown command '/nonsense'. Type /? for help",
        "Error: unknown setting (try: /help set)",
        "Error: unknown part (try: /help show)",
    ]


async def test_a_chat_is_saved_as_a_model(capsys: pytest.CaptureFixture[str]) -> None:
    talker = FakeTalker([ContentDelta("Hi"), FINISH])

    await chat(talker, "/set system Be brief.", "/set parameter seed 7", "hello", "/save mine")

    [request] = talker.created
    assert (request.model, request.base, request.system, request.parameters) == ("mine", "m", "Be brief.", {"seed": 7})
    assert [message.content for message in request.messages] == ["hello", "Hi"]
    assert "Created new model 'mine'" in capsys.readouterr().out


async def test_another_model_is_loaded_with_an_empty_context() -> None:
    talker = FakeTalker([FINISH])

    session = await chat(talker, "/load other", session=Session(model="m", messages=[Message(role="user", content="old")]))

    assert talker.loaded == ["other"]
    assert (session.model, session.messages) == ("other", [])


async def test_help_show_and_list_answer(capsys: pytest.CaptureFixture[str]) -> None:
    await chat(FakeTalker(), "/?", "/help set", "/show info", "/show modelfile", "/show license", "/show system", "/list", "", "/bye")

    out = capsys.readouterr().out
    for text in ("/set            Set session variables", "/set nothink", "architecture", "FROM x", "No license was specified", "NAME"):
        assert text in out
    assert "No system message was specified for this model." in out


# What /set does


@pytest.mark.parametrize(
    ("words", "answer", "field", "value"),
    [
        ("parameter temperature 0.5", "Set parameter 'temperature' to '0.5'", "options", {"temperature": 0.5}),
        ("parameter stop a b", "Set parameter 'stop' to 'a b'", "options", {"stop": ["a", "b"]}),
        ("format json", "Set format to 'json' mode.", "format", "json"),
        ("noformat", "Disabled format.", "format", None),
        ("think", "Set 'think' mode.", "think", True),
        ("think high", "Set 'think' mode to 'high'.", "think", "high"),
        ("nothink", "Set 'nothink' mode.", "think", False),
        ("nowordwrap", "Set 'nowordwrap' mode.", "wrap", False),
        ("wordwrap", "Set 'wordwrap' mode.", "wrap", True),
        ("verbose", "Set 'verbose' mode.", "verbose", True),
        ("quiet", "Set 'quiet' mode.", "verbose", False),
    ],
)
def test_set_changes_one_thing_and_says_so(words: str, answer: str, field: str, value: object) -> None:
    session = Session(model="m", format="json", verbose=words == "quiet", wrap=words != "wordwrap")

    assert session.set(words.split()) == answer
    assert getattr(session, field) == value


@pytest.mark.parametrize(
    "words", ["parameter temperature hot", "parameter nonsense 1", "parameter num_ctx 0", "think deeply", "colour red", "parameter"]
)
def test_set_refuses_what_it_does_not_know(words: str) -> None:
    session = Session(model="m")

    with pytest.raises(InvalidInput):
        session.set(words.split())
    assert session == Session(model="m")


def test_a_format_is_json_or_a_schema() -> None:
    assert read_format("json") == "json"
    assert read_format('{"type": "object"}') == {"type": "object"}
    with pytest.raises(InvalidInput, match="'json' or a JSON Schema"):
        read_format("[]")


def test_think_words_are_ollamas() -> None:
    assert [read_think(word) for word in ("true", "false", "high")] == [True, False, "high"]


# One answer


@pytest.fixture
def answered(monkeypatch: pytest.MonkeyPatch) -> object:
    async def once(talker: FakeTalker, session: Session, prompt: str | None) -> None:
        @asynccontextmanager
        async def opened(_: Invocation) -> AsyncIterator[FakeTalker]:
            yield talker

        monkeypatch.setattr(backend, "open_talker", opened)
        await run._run(Invocation(), session, prompt)

    return once


async def test_one_prompt_gets_one_answer(answered: object, capsys: pytest.CaptureFixture[str]) -> None:
    talker = FakeTalker([ContentDelta("Hello."), FINISH])

    await answered(talker, Session(model="m", system="Be kind."), "hi")  # type: ignore[operator]

    assert capsys.readouterr().out == "Hello.\n"
    assert contents(talker.requests[0]) == [("system", "Be kind."), ("user", "hi")]


async def test_a_model_that_is_not_here_is_pulled(answered: object, capsys: pytest.CaptureFixture[str]) -> None:
    await answered(FakeTalker([ContentDelta("Hi"), FINISH], installed=False), Session(model="m"), "hi")  # type: ignore[operator]

    captured = capsys.readouterr()
    assert captured.err.splitlines() == ["pulling manifest", "success"]
    assert captured.out == "Hi\n"


class Offline(FakeTalker):
    """No source can be reached; one model is installed."""

    def pull(self, reference: str) -> AsyncIterator[Progress]:
        raise SourceError("can't find host 'registry'")

    async def summaries(self) -> list[ModelSummary]:
        return [ModelSummary(name="smollm2:latest", digest="", size=1, modified_at=datetime.now(UTC))]


async def test_a_misspelt_model_that_can_not_be_pulled_is_suggested(answered: object) -> None:
    with pytest.raises(CorralError, match=r"can't find host 'registry' \(did you mean 'smollm2', which is installed\?\)"):
        await answered(Offline(installed=False), Session(model="smolm2"), "hi")  # type: ignore[operator]
    with pytest.raises(SourceError, match=r"can't find host 'registry'$"):
        await answered(Offline(installed=False), Session(model="qwen"), "hi")  # type: ignore[operator]


async def test_an_embedding_model_prints_its_vector(answered: object, capsys: pytest.CaptureFixture[str]) -> None:
    await answered(FakeTalker(capabilities=("embedding",)), Session(model="m"), "text")  # type: ignore[operator]

    assert json.loads(capsys.readouterr().out) == [0.6, 0.8]


async def test_an_embedding_model_needs_a_text(answered: object) -> None:
    with pytest.raises(InvalidInput, match='Usage: corral run m "your text here"'):
        await answered(FakeTalker(capabilities=("embedding",)), Session(model="m"), None)  # type: ignore[operator]


# How an answer is printed


def printed(capsys: pytest.CaptureFixture[str], *events: Event, **options: bool) -> tuple[str, str]:
    printer = printing.AnswerPrinter(**options)
    for event in events:
        printer.show(event)
    captured = capsys.readouterr()
    return captured.out, captured.err


def test_thinking_is_set_apart_from_the_answer(capsys: pytest.CaptureFixture[str]) -> None:
    out, _ = printed(capsys, ThinkingDelta("hm"), ThinkingEnd(), ContentDelta("Yes."), FINISH)

    assert out == "Thinking...\nhm\n...done thinking.\n\nYes.\n"


def test_thinking_can_be_hidden(capsys: pytest.CaptureFixture[str]) -> None:
    out, _ = printed(capsys, ThinkingDelta("hm"), ThinkingEnd(), ContentDelta("Yes."), FINISH, hide_thinking=True)

    assert out == "Yes.\n"


def test_a_call_is_shown_and_a_notice_goes_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    out, err = printed(capsys, ToolCallEnd(0, "add", {"a": 1}), Diagnostic("prompt_truncated", "two turns were dropped"), FINISH)

    assert 'add({"a": 1})' in out
    assert err == "Warning: two turns were dropped (prompt_truncated)\n"


def test_figures_are_shown_when_asked(capsys: pytest.CaptureFixture[str]) -> None:
    _, err = printed(capsys, FINISH, verbose=True)

    assert "eval count:           4 token(s)\n" in err
    assert "eval rate:            2.00 tokens/s\n" in err
    assert "prompt eval rate:     -\n" in err
