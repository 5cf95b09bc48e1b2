"""Chat on the terminal: read a line, carry out a command or print an answer, and so on."""

from __future__ import annotations

import asyncio
import signal
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Protocol

import click

from corral.cli import list as listing
from corral.cli import show as showing
from corral.cli.attachments import attach
from corral.cli.printing import AnswerPrinter
from corral.cli.progress import waiting
from corral.cli.streams import closing
from corral.errors import CorralError, InvalidInput

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from corral.api import CreateRequest
    from corral.cli.backend import Talker
    from corral.cli.session import Session

FENCE = '"""'

HELP = {
    "": """Available commands:
  /set            Set session variables (see: /help set)
  /show           Show model information (see: /help show)
  /load <model>   Load another model
  /save <model>   Save this session as a model
  /list           List installed models
  /clear          Clear session context
  /bye            Exit
  /?, /help       Help for a command

Use \"\"\" to begin and end a message of several lines.""",
    "set": """Available commands:
  /set parameter <name> <value>   Set a parameter of the model
  /set system <text>              Set the system message
  /set format json                Ask for JSON
  /set noformat                   Ask for free text
  /set think [low|medium|high]    Let the model think first
  /set nothink                    Do not let it think
  /set wordwrap, /set nowordwrap  Break lines between words, or not
  /set verbose, /set quiet        Show figures after each answer, or not""",
    "show": """Available commands:
  /show info         Show details for this model
  /show license      Show its license
  /show modelfile    Show its Modelfile
  /show parameters   Show its parameters
  /show system       Show the system message
  /show template     Show its template""",
}


class LineReader(Protocol):
    """Where the lines come from. Raises EOFError at their end, and KeyboardInterrupt for Ctrl-C."""

    async def read(self, prompt: str) -> str:
        """Return the next line."""


class Repl:
    """A chat with one person."""

    def __init__(self, talker: Talker, session: Session, reader: LineReader) -> None:
        self._talker = talker
        self._session = session
        self._reader = reader

    async def run(self) -> None:
        """Chat until the person leaves."""
        while (text := await self._next_message()) is not None:
            try:
                await self._take(text)
            except CorralError as error:
                click.echo(f"Error: {error}", err=True)

    async def _next_message(self) -> str | None:
        """Return what was typed, one line or a fenced block of them; None when the person leaves."""
        try:
            line = await self._reader.read(">>> ")
            if line.lstrip().startswith(FENCE):
                return await self._block(line.lstrip().removeprefix(FENCE))
        except KeyboardInterrupt:
            click.echo("\nUse Ctrl + d or /bye to exit.")
            return ""
        except EOFError:
            return None
        return None if line.startswith(("/bye", "/exit")) else line

    async def _block(self, first: str) -> str:
        lines = [first]
        while not lines[-1].rstrip().endswith(FENCE):
            lines.append(await self._reader.read("... "))
        return "\n".join(lines).rstrip().removesuffix(FENCE)

    async def _take(self, text: str) -> None:
        match text.split():
            case []:
                return
            case ["/?" | "/help", *topic]:
                click.echo(HELP.get(" ".join(topic), HELP[""]))
            case ["/set", *words]:
                click.echo(self._session.set(words))
            case ["/show", *words]:
                await self._show(words)
            case ["/clear"]:
                click.echo(self._session.clear())
            case ["/list" | "/ls"]:
                listing.print_summaries(await self._talker.summaries())
            case ["/load", model]:
                await self._load(model)
            case ["/save", model]:
                await self._save(model)
            case [command, *_] if command.startswith("/") and "/" not in command[1:]:
                raise InvalidInput(f"Unknown command '{command}'. Type /? for help")
            case _:
                await self._answer(text)

    async def _answer(self, text: str) -> None:
        from corral.formats import Assembler

        request = self._session.ask(*attach(text))
        session, collected = self._session, Assembler()
        printer = AnswerPrinter(wrap=session.wrap, hide_thinking=session.hide_thinking, verbose=session.verbose)
        async with interruptible(), closing(self._talker.answer(request)) as events:
            async for event in events:
                collected.add([event])
                printer.show(event)
        self._session.remember(request, collected.answer)

    async def _show(self, words: list[str]) -> None:
        model = await self._talker.show(self._session.model)
        match words:
            case ["info"] | []:
                showing.print_model(model)
            case ["system"] if self._session.system:
                click.echo(self._session.system)
            case ["license" | "modelfile" | "parameters" | "system" | "template" as part]:
                name = "system message" if part == "system" else part
                click.echo(showing.part_text(model, part) or f"No {name} was specified for this model.")
            case _:
                raise InvalidInput("unknown part (try: /help show)")

    async def _load(self, model: str) -> None:
        click.echo(f"Loading model '{model}'")
        with waiting(f"loading {model}"):
            await self._talker.load(model)
        self._session.model = model
        self._session.clear()

    async def _save(self, model: str) -> None:
        async for _ in self._talker.create(self._as_model(model)):
            continue
        click.echo(f"Created new model '{model}'")

    def _as_model(self, name: str) -> CreateRequest:
        from corral.api import CreateRequest

        session = self._session
        return CreateRequest(
            model=name,
            base=session.model,
            system=session.system or None,
            parameters=session.options,
            messages=tuple(session.messages),
        )


@asynccontextmanager
async def interruptible() -> AsyncIterator[None]:
    """Let Ctrl-C end the block, quietly, instead of the program."""
    loop = asyncio.get_running_loop()
    before = signal.getsignal(signal.SIGINT)
    try:
        async with asyncio.timeout(None) as limit:
            loop.add_signal_handler(signal.SIGINT, limit.reschedule, 0.0)
            yield
    except TimeoutError:
        if not limit.expired():
            raise
        click.echo()
    finally:
        loop.remove_signal_handler(signal.SIGINT)
        signal.signal(signal.SIGINT, before)
