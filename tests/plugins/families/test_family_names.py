"""Modelfiles written for Ollama find their renderers and parsers here, or the page says why not."""

from __future__ import annotations

from dataclasses import replace

import pytest
from family import talk, user
from table import NOT_BUILT

from corral.plugins import PluginHost
from corral.testing import model_spec

HOST = PluginHost.load()

#: Names of both, of renderers only, of parsers only.
BOTH = {
    "cogito",
    "cohere",
    "functiongemma",
    "gemma4",
    "glimmer",
    "glm-4.7",
    "glm-ocr",
    "laguna",
    "lfm2",
    "lfm2-thinking",
    "nemotron-3-nano",
    "nemotron-3.5-nano",
    "olmo3",
    "olmo3-think",
    "ornith",
    "poolside-v1",
    "qwen3-coder",
    "qwen3-vl-instruct",
    "qwen3-vl-thinking",
    "qwen3.5",
}
RENDERERS = BOTH | {"deepseek3.1", "gemma4-large", "gemma4-small", "olmo3-32b-think", "olmo3.1", "qwen3.8"}
PARSERS = BOTH | {"deepseek3", "gemma4-no-thinking", "harmony", "ministral", "passthrough", "qwen3", "qwen3-thinking"}


def test_every_name_of_ollamas_is_here_or_on_the_page() -> None:
    known = {name for name, _ in NOT_BUILT}
    assert RENDERERS - HOST.renderers().keys() <= known
    assert PARSERS - HOST.parsers().keys() <= known
    assert known.isdisjoint(HOST.renderers().keys() | HOST.parsers().keys())


@pytest.mark.parametrize(
    ("name", "parameter_count", "is_small"),
    [
        ("gemma4:e2b", 0, True),
        ("mine:latest", 8_000_000_000, True),
        ("mine:latest", 12_000_000_000, False),
        ("gemma4:31b", 0, False),
        ("mine:latest", 0, False),
    ],
)
def test_gemma_4_is_rendered_for_its_size(name: str, parameter_count: int, *, is_small: bool) -> None:
    asked = talk(user())
    model = model_spec(name, renderer="gemma4")
    model = replace(model, facts=replace(model.facts, parameter_count=parameter_count))
    wanted = model_spec(renderer="gemma4-small" if is_small else "gemma4-large")
    assert HOST.render_prompt(model, asked) == HOST.render_prompt(wanted, asked)
