"""`corral show`."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Literal, TypeAlias, cast

import click

from corral.cli.names import complete_models
from corral.cli.output import json_option, print_json, print_section, shorten

if TYPE_CHECKING:
    from collections.abc import Iterator

    from corral.cli.invocation import Invocation
    from corral.client import ShownModel

Part: TypeAlias = Literal["license", "modelfile", "parameters", "template", "system"]
_PARTS: tuple[Part, ...] = ("license", "modelfile", "parameters", "template", "system")
#: What is left of 80 columns beside the longest keys.
_VALUE_WIDTH = 44


@click.command("show")
@click.argument("model", shell_complete=complete_models)
@click.option("--license", "parts", flag_value="license", multiple=True, help="Print the license only.")
@click.option("--modelfile", "parts", flag_value="modelfile", multiple=True, help="Print the Modelfile only.")
@click.option("--parameters", "parts", flag_value="parameters", multiple=True, help="Print the parameters only.")
@click.option("--template", "parts", flag_value="template", multiple=True, help="Print the template only.")
@click.option("--system", "parts", flag_value="system", multiple=True, help="Print the system message only.")
@click.option("-v", "--verbose", is_flag=True, help="Print the header and the tensors of the model file, too.")
@json_option
@click.pass_obj
def command(invocation: Invocation, *, model: str, parts: tuple[Part, ...], verbose: bool, as_json: bool) -> None:
    """Show what is known about a model: its facts, and which plugins serve it and why."""
    if len(set(parts)) > 1:
        raise click.UsageError(f"give only one of {', '.join('--' + part for part in _PARTS)}")
    found = asyncio.run(_show(invocation, model, verbose=verbose))
    if parts:
        click.echo(part_text(found, parts[0]))
    elif as_json:
        print_json(found)
    else:
        print_model(found, verbose=verbose)


async def _show(invocation: Invocation, model: str, *, verbose: bool) -> ShownModel:
    from corral.cli.backend import open_models

    async with open_models(invocation) as models:
        return await models.show(model, verbose=verbose)


def part_text(model: ShownModel, part: Part) -> str:
    """Return one of the texts of a model."""
    return cast("str", getattr(model, part)).rstrip("\n")


def print_model(model: ShownModel, *, verbose: bool = False) -> None:
    """Print sections about a model."""
    print_section("Model", [(name, str(value)) for name, value in _facts(model) if value])
    print_section("Plugins", list(_choices(model)))
    print_section("Capabilities", [(capability,) for capability in model.capabilities])
    print_section("Parameters", [line.split(None, 1) for line in model.parameters.splitlines()])
    if verbose:
        print_section("Metadata", [(key, shorten(str(value), _VALUE_WIDTH)) for key, value in sorted(model.metadata.items())])
        print_section("Tensors", [(name, kind, str(list(shape))) for name, kind, shape in model.tensors])
    print_section("System", _first_lines(model.system))
    print_section("License", _first_lines(model.license))


def _facts(model: ShownModel) -> Iterator[tuple[str, object]]:
    yield "architecture", model.family
    yield "parameters", model.parameter_size
    yield "context length", model.fact("context_length")
    yield "embedding length", model.fact("embedding_length")
    yield "quantization", model.quantization
    yield "requires", model.requires


def _choices(model: ShownModel) -> Iterator[tuple[str, ...]]:
    """Yield the plugins that serve the model: name, who provides it and where the name came from; below, why."""
    for word, choice in model.choices.items():
        yield word, choice.name, f"{choice.provider or 'not installed'}, {choice.origin}"
        if choice.reason:
            yield "", "", choice.reason


def _first_lines(text: str) -> list[tuple[str, ...]]:
    """Return the first two lines that are not blank, and an ellipsis when there are more."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    shown = lines[:2] + (["..."] if len(lines) > 2 else [])
    return [(line,) for line in shown]
