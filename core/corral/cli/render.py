"""`corral render`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from corral.cli.names import complete_models, complete_renderers
from corral.cli.output import json_option, print_json
from corral.cli.streams import read_json, read_stdin, read_text, write_exactly

if TYPE_CHECKING:
    from collections.abc import Iterator

    from corral.cli.invocation import Invocation
    from corral.conversation import Conversation, JsonObject, Prompt, Think
    from corral.plugins import PluginHost
    from corral.spec import ModelSpec


@click.command("render")
@click.option("--renderer", metavar="NAME", shell_complete=complete_renderers, help="The renderer to use, without a model.")
@click.option("--model", metavar="MODEL", shell_complete=complete_models, help="An installed model, with all that it brings along.")
@click.option("--template", type=click.Path(path_type=Path), help="A Jinja chat template for --renderer chat-template.")
@json_option
@click.pass_obj
def command(invocation: Invocation, *, renderer: str | None, model: str | None, template: Path | None, as_json: bool) -> None:
    """Print the prompt of a conversation, exactly as a model would get it.

    The conversation comes from standard input, in the shape of a request to /api/chat:
    {"messages": [...], "tools": [...], "think": true}. With --json the output is an object of
    text, segments, stop and suffix.
    """
    from corral.cli.paper import paper_model
    from corral.formats import conversation_from_json

    if (renderer is None) == (model is None):
        raise click.UsageError("give one of --renderer and --model")
    conversation = conversation_from_json(read_json(read_stdin("a conversation"), "the conversation"))
    if model is not None:
        spec, conversation = _installed(invocation, model, conversation)
    else:
        spec = paper_model(renderer=renderer or "", chat_template=read_text(template) if template else "")
    _check_level(invocation.plugins, spec, conversation.think)
    prompt = invocation.plugins.render_prompt(spec, conversation)
    if as_json:
        print_json(_prompt_json(prompt))
    else:
        write_exactly(prompt.text)


def _installed(invocation: Invocation, name: str, conversation: Conversation) -> tuple[ModelSpec, Conversation]:
    """Return an installed model, and the conversation with all that the model adds to it."""
    from corral.api import Request
    from corral.cli.backend import open_library
    from corral.engine.effective import effective_conversation

    spec = open_library(invocation).resolve(name)
    support = invocation.plugins.parser_support(spec)
    return spec, effective_conversation(spec, support, Request(model=name, conversation=conversation))


def _check_level(plugins: PluginHost, spec: ModelSpec, think: Think) -> None:
    """Raise InvalidInput for a level of thinking that no parser for this renderer's answers declares."""
    from corral.errors import InvalidInput

    if not isinstance(think, str):
        return
    levels = dict.fromkeys(level for reader in _readers(plugins, spec) for level in plugins.parser_support(reader).thinking_levels)
    if think not in levels:
        choices = ", ".join(("true", "false", *levels))
        raise InvalidInput(f"think: '{think}' is not known to renderer '{spec.renderer.name}' (choices: {choices})")


def _readers(plugins: PluginHost, spec: ModelSpec) -> Iterator[ModelSpec]:
    """Yield the model with its parser; one on paper with each that goes with its renderer, by name or by the calls it reads."""
    if spec.parser.name:
        yield spec
        return
    plugins.require("renderer", spec.renderer.name)
    calls = plugins.renderers()[spec.renderer.name].call_format
    for parser in plugins.parsers().values():
        if parser.name == spec.renderer.name or (calls and parser.call_format == calls):
            yield replace(spec, parser=replace(spec.parser, name=parser.name))


def _prompt_json(prompt: Prompt) -> JsonObject:
    return {
        "text": prompt.text,
        "segments": [{"text": segment.text, "kind": segment.kind.value} for segment in prompt.segments],
        "stop": list(prompt.stop),
        "suffix": prompt.suffix,
    }
