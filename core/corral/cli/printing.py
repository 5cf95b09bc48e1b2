"""Print the events of an answer for a person."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, assert_never

import click

from corral.cli import wording
from corral.cli.invocation import warn
from corral.cli.output import width
from corral.cli.wrapping import WordWrapper
from corral.events import (
    ContentDelta,
    Diagnostic,
    Finish,
    Logprobs,
    ThinkingDelta,
    ThinkingEnd,
    ToolCallArgsDelta,
    ToolCallEnd,
    ToolCallStart,
)

if TYPE_CHECKING:
    from corral.events import Event, Usage

#: Ollama leaves this many columns free when it wraps words.
_MARGIN = 5


class AnswerPrinter:
    """Prints one answer as it arrives. Thinking is grey on a terminal; what is not the answer itself goes to stderr."""

    def __init__(self, *, wrap: bool = True, hide_thinking: bool = False, verbose: bool = False) -> None:
        self._is_terminal = sys.stdout.isatty()
        self._wrapper = WordWrapper(width() - _MARGIN) if wrap and self._is_terminal else None
        self._hide_thinking = hide_thinking
        self._verbose = verbose
        self._is_thinking = False

    def show(self, event: Event) -> None:
        """Print an event."""
        match event:
            case ContentDelta(text):
                self._end_thinking()
                self._write(text)
            case ThinkingDelta(text):
                self._think(text)
            case ThinkingEnd():
                self._end_thinking()
            case ToolCallEnd():
                self._write(f"\n{event.name}({json.dumps(event.arguments, ensure_ascii=False)})\n")
            case Diagnostic():
                warn(f"{event.message} ({event.code})")
            case Finish():
                self._finish(event.usage)
            case ToolCallStart() | ToolCallArgsDelta() | Logprobs():
                pass
            case _:
                assert_never(event)

    def _think(self, text: str) -> None:
        if self._hide_thinking:
            return
        if not self._is_thinking:
            self._is_thinking = True
            self._write("Thinking...\n", grey=True)
        self._write(text, grey=True)

    def _end_thinking(self) -> None:
        if self._is_thinking:
            self._is_thinking = False
            self._flush()
            self._write("\n...done thinking.\n\n", grey=True)

    def _write(self, text: str, *, grey: bool = False) -> None:
        wrapped = self._wrapper.feed(text) if self._wrapper else text
        click.echo(click.style(wrapped, fg="bright_black") if grey and self._is_terminal else wrapped, nl=False)

    def _flush(self) -> None:
        if self._wrapper:
            click.echo(self._wrapper.finish(), nl=False)

    def _finish(self, usage: Usage) -> None:
        self._end_thinking()
        self._flush()
        click.echo("\n" if self._is_terminal else "")
        if self._verbose:
            for label, figure in _figures(usage):
                click.echo(f"{label + ':':<22}{figure}", err=True)


def _figures(usage: Usage) -> list[tuple[str, str]]:
    return [
        ("total duration", wording.duration(usage.total_s)),
        ("load duration", wording.duration(usage.load_s)),
        ("prompt eval count", f"{usage.prompt_tokens} token(s)"),
        ("prompt eval duration", wording.duration(usage.prompt_s)),
        ("prompt eval rate", _rate(usage.prompt_tokens, usage.prompt_s)),
        ("eval count", f"{usage.completion_tokens} token(s)"),
        ("eval duration", wording.duration(usage.completion_s)),
        ("eval rate", _rate(usage.completion_tokens, usage.completion_s)),
    ]


def _rate(tokens: int, seconds: float) -> str:
    return f"{tokens / seconds:.2f} tokens/s" if seconds else "-"
