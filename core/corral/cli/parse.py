"""`corral parse`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from corral.cli.names import complete_parsers
from corral.cli.streams import read_json, read_stdin, read_text, write_exactly

if TYPE_CHECKING:
    from collections.abc import Iterator

    from corral.cli.invocation import Invocation
    from corral.conversation import JsonObject
    from corral.events import OutputParser, ParserEvent


@click.command("parse")
@click.option("--parser", required=True, metavar="NAME", shell_complete=complete_parsers, help="The parser to use.")
@click.option("--tools", type=click.Path(path_type=Path), help="A JSON file with the tools that may be called.")
@click.option("--suffix", default="", metavar="TEXT", help="How the prompt ended, such as an opened <think>.")
@click.option("--split", type=click.IntRange(min=1), metavar="N", help="Feed N characters at a time instead of all at once.")
@click.option("--fold", is_flag=True, help="Print one object with content, thinking, tool_calls and diagnostics.")
@click.pass_obj
def command(invocation: Invocation, *, parser: str, tools: Path | None, suffix: str, split: int | None, fold: bool) -> None:
    """Parse a model's output into events.

    The output comes from standard input. Prints one JSON event a line.
    """
    from corral.cli.paper import paper_model
    from corral.conversation import Conversation, Prompt, Segment
    from corral.formats import answer_to_json, dump_json, event_to_json
    from corral.formats import fold as fold_events

    conversation = Conversation(messages=(), tools=_tools(tools) if tools else ())
    prompt = Prompt(segments=(Segment(suffix),), suffix=suffix)
    reader = invocation.plugins.parse_output(paper_model(parser=parser), conversation, prompt)
    events = _events(reader, read_stdin("a model's output"), split)
    lines = [answer_to_json(fold_events(events))] if fold else map(event_to_json, events)
    for line in lines:
        write_exactly(dump_json(line) + "\n")


def _tools(path: Path) -> tuple[JsonObject, ...]:
    """Read a list of tools, or the `tools` of a request."""
    from corral.formats import tools_from_json

    value = read_json(read_text(path), str(path))
    return tools_from_json(value.get("tools") if isinstance(value, dict) else value)


def _events(parser: OutputParser, text: str, split: int | None) -> Iterator[ParserEvent]:
    size = split or max(len(text), 1)
    for start in range(0, len(text), size):
        yield from parser.feed(text[start : start + size])
    yield from parser.finish("stop")
