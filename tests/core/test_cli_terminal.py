"""What happens on a real terminal: lines with history, bars and colours."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING

import pytest
from prompt_toolkit.application import create_app_session
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output import DummyOutput

from corral.cli import printing, progress
from corral.cli.terminal import Terminal
from corral.events import ContentDelta, Finish, ThinkingDelta, ThinkingEnd
from corral.fetching import Progress

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


def pretend_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the captured streams say that a person watches; pytest changes them between the phases of a test."""
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)


async def test_lines_are_read_and_kept_for_the_next_time(tmp_path: Path) -> None:
    history = tmp_path / "home" / "history"
    with create_pipe_input() as keys, create_app_session(input=keys, output=DummyOutput()):
        terminal = Terminal(history)
        keys.send_text("hello\r")

        assert await terminal.read(">>> ") == "hello"
    assert "+hello" in history.read_text()


async def test_a_home_that_can_not_be_written_costs_the_history_only(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "home").write_text("a file where a folder should be")
    with create_pipe_input() as keys, create_app_session(input=keys, output=DummyOutput()):
        terminal = Terminal(tmp_path / "home" / "history")
        keys.send_text("hello\r")

        assert await terminal.read(">>> ") == "hello"
    assert "Warning: what you type is not kept" in capsys.readouterr().err


@pytest.mark.parametrize(("key", "error"), [("\x04", EOFError), ("\x03", KeyboardInterrupt)])
async def test_control_keys_end_the_line(key: str, error: type[BaseException], tmp_path: Path) -> None:
    with create_pipe_input() as keys, create_app_session(input=keys, output=DummyOutput()):
        keys.send_text(key)

        with pytest.raises(error):
            await Terminal(tmp_path / "history").read("... ")


STATUSES = ["pulling manifest", "pulling ab", "success"]


async def steps(closed: list[bool]) -> AsyncIterator[Progress]:
    try:
        yield Progress("pulling manifest")
        yield Progress("pulling ab", "sha256:ab", 100, 10)
        yield Progress("pulling ab", "sha256:ab", 100, 100)
        yield Progress("success")
    finally:
        closed.append(True)


async def test_each_step_of_a_pull_stays_on_the_screen_once(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    pretend_a_terminal(monkeypatch)
    closed: list[bool] = []

    await progress.follow(steps(closed))

    lines = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\r", "", capsys.readouterr().err).splitlines()
    assert closed == [True]
    assert [status for status in STATUSES if any(line.endswith(status) for line in lines)] == STATUSES


async def test_without_a_terminal_each_status_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    await progress.follow(steps([]))

    assert capsys.readouterr().err.splitlines() == STATUSES


def test_waiting_shows_nothing_when_nobody_watches(capsys: pytest.CaptureFixture[str]) -> None:
    with progress.waiting("loading m"):
        pass

    assert capsys.readouterr().err == ""


def test_an_answer_is_wrapped_and_thinking_is_grey(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    pretend_a_terminal(monkeypatch)
    printer = printing.AnswerPrinter()

    for event in (ThinkingDelta("hm"), ThinkingEnd(), ContentDelta("word " * 9), Finish("stop")):
        printer.show(event)

    out = capsys.readouterr().out
    assert "\x1b[90mThinking...\n" in out
    assert "word word word word word word word \nword word \n\n" in out
