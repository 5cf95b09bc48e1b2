"""Modelfiles written for Ollama find their renderers and parsers here, or the page says why not."""

from __future__ import annotations

from dataclasses import replace

import pytest
from answers import TOOLS, read
from conversations import WORD
from family import Reference, assistant, call, result, talk, user
from fetch_templates import reference_template
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from oracle import reference_text
from table import NOT_BUILT

from corral.conversation import Prompt
from corral.formats import fold
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


STEP = Reference(renderer="chat-template", template="StepFun3.5-Flash.jinja")
_PLAIN = WORD.map(str.strip).filter(lambda text: "<" not in text)


@pytest.mark.long
def test_step_3_5_is_shown_prompts_by_its_own_template() -> None:
    template = reference_template(STEP.template)
    assert [offer.name for offer in HOST.renderers().values() if offer.detect and offer.detect.match(template)] == []
    assert [offer.name for offer in HOST.parsers().values() if offer.detect and offer.detect.match(template)] == ["qwen3.5"]


@pytest.mark.long
@given(thinking=_PLAIN, content=_PLAIN, city=_PLAIN, days=st.integers())
@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
def test_step_3_5_writes_what_the_parser_of_qwen_3_5_reads(thinking: str, content: str, city: str, days: int) -> None:
    """The grounds on which its template is detected for that parser."""
    turn = assistant(content, call(city=city, days=days), call("stop"), thinking=thinking)
    text = reference_text(STEP, talk(user(), turn, result()))
    assert text is not None
    written = text.split("<|im_start|>assistant\n")[1].partition("<|im_end|>")[0]
    answer = fold(read(HOST.parse_output(model_spec(parser="qwen3.5"), talk(user(), tools=TOOLS), Prompt(segments=())), [written]))
    assert (answer.thinking.strip(), answer.content.strip()) == (thinking, content)
    assert [(made.name, made.arguments) for made in answer.tool_calls] == [(made.name, made.arguments) for made in turn.tool_calls]
