"""`corral run`."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import TYPE_CHECKING

import click

from corral.cli.names import complete_models
from corral.errors import CorralError, InvalidInput, ModelNotFound, NotFound

if TYPE_CHECKING:
    from collections.abc import Sequence

    from corral.cli.backend import Talker
    from corral.cli.invocation import Invocation
    from corral.cli.session import Session


@click.command("run")
@click.argument("model", shell_complete=complete_models)
@click.argument("prompt", nargs=-1)
@click.option("--keepalive", metavar="DURATION", help="How long the model stays loaded afterwards, such as 10m; -1 is for ever.")
@click.option("--verbose", is_flag=True, help="Show figures after each answer.")
@click.option("--nowordwrap", is_flag=True, help="Do not break lines between words.")
@click.option("--format", "form", metavar="FORMAT", help="Ask for JSON: 'json', or a JSON Schema.")
@click.option(
    "--think", is_flag=False, flag_value="true", metavar="LEVEL", help="Let the model think first: true, false, low, medium, high."
)
@click.option("--hidethinking", is_flag=True, help="Do not show what the model thinks.")
@click.option("--system", metavar="TEXT", help="The system message.")
@click.option("--no-truncate", is_flag=True, help="Fail when the prompt is longer than the context, instead of dropping old turns.")
@click.pass_obj
def command(
    invocation: Invocation,
    *,
    model: str,
    prompt: Sequence[str],
    keepalive: str | None,
    verbose: bool,
    nowordwrap: bool,
    form: str | None,
    think: str | None,
    hidethinking: bool,
    system: str | None,
    no_truncate: bool,
) -> None:
    """Talk to a model; with a PROMPT or from a pipe, answer once.

    A model that is not installed is pulled. Without a server, the model runs in this process.
    """
    from corral.cli.session import Session, read_format, read_think

    session = Session(
        model=model,
        system=system or "",
        think=read_think(think) if think else None,
        format=read_format(form) if form else None,
        keep_alive_s=_keep_alive(keepalive) if keepalive else None,
        truncate=not no_truncate,
        wrap=not nowordwrap,
        verbose=verbose,
        hide_thinking=hidethinking,
    )
    asyncio.run(_run(invocation, session, _prompt(prompt)))


def _keep_alive(text: str) -> float:
    from corral.settings import parse_keep_alive

    try:
        return parse_keep_alive(text)
    except ValueError as error:
        raise InvalidInput(f"--keepalive: '{text}' is {error}") from error


def _prompt(words: Sequence[str]) -> str | None:
    """Return the prompt of the arguments and a pipe together; None asks for a chat."""
    from corral.cli.streams import read_stdin

    piped = [] if sys.stdin.isatty() else [read_stdin("a prompt").rstrip("\n")]
    parts = [part for part in (*piped, *words) if part]
    return " ".join(parts) if parts or piped or not sys.stdout.isatty() else None


async def _run(invocation: Invocation, session: Session, prompt: str | None) -> None:
    from corral.cli.backend import open_talker

    async with open_talker(invocation) as talker:
        capabilities = await _capabilities(talker, session.model)
        if "embedding" in capabilities and "completion" not in capabilities:
            await _embed(talker, session.model, prompt)
        elif prompt is None:
            await _chat(invocation, talker, session)
        else:
            await _answer_once(talker, session, prompt)


async def _capabilities(talker: Talker, model: str) -> tuple[str, ...]:
    """Return what the model can do, after pulling it if it is not here."""
    try:
        return (await talker.show(model)).capabilities
    except NotFound:
        await _pull(talker, model)
    try:
        return (await talker.show(model)).capabilities
    except NotFound as error:
        raise ModelNotFound(model) from error


async def _pull(talker: Talker, model: str) -> None:
    """Fetch a model; when that fails and an installed one has nearly that name, ask whether it was meant."""
    from difflib import get_close_matches

    from corral.cli.progress import follow

    try:
        await follow(talker.pull(model))
    except CorralError as error:
        names = [summary.name.removesuffix(":latest") for summary in await talker.summaries()]
        if close := get_close_matches(model, names, n=1):
            raise NotFound(f"{error} (did you mean '{close[0]}', which is installed?)") from error
        raise


async def _embed(talker: Talker, model: str, text: str | None) -> None:
    if not text:
        raise InvalidInput(f'embedding models require input text. Usage: corral run {model} "your text here"')
    click.echo(json.dumps(list(await talker.embed(model, text))))


async def _answer_once(talker: Talker, session: Session, prompt: str) -> None:
    from corral.cli.attachments import attach
    from corral.cli.printing import AnswerPrinter
    from corral.cli.streams import closing

    printer = AnswerPrinter(wrap=session.wrap, hide_thinking=session.hide_thinking, verbose=session.verbose)
    async with closing(talker.answer(session.ask(*attach(prompt)))) as events:
        async for event in events:
            printer.show(event)


async def _chat(invocation: Invocation, talker: Talker, session: Session) -> None:
    from corral.cli.progress import waiting
    from corral.cli.repl import Repl
    from corral.cli.terminal import Terminal

    with waiting(f"loading {session.model}"):
        await talker.load(session.model, session.keep_alive_s)
    await Repl(talker, session, Terminal(invocation.settings.home / "history")).run()
