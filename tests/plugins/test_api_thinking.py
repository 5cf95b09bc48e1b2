"""Thinking, structured output and calls, from a model's words to what both dialects answer, with the real engine and parsers."""

from __future__ import annotations

import json
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import pytest
from gbnf_recogniser import accepts

from corral.engine import CorralEngine
from corral.plugins import PluginHost
from corral.settings import Settings
from corral.testing import ScriptedRunner, model_spec
from corral_api.ollama.app import build_app as build_ollama
from corral_api.openai.app import build_app as build_openai

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from corral.api import Library
    from corral.conversation import JsonObject
    from corral.spec import ModelSpec

#: Opens thoughts in the prompt, and shows thoughts and calls of earlier turns.
TEMPLATE = """{{ tools | tojson if tools else '' }}{% for message in messages %}<|im_start|>{{ message.role }}
{% if message.reasoning_content %}<think>
{{ message.reasoning_content }}
</think>

{% endif %}{{ message.content }}{% for call in message.tool_calls or [] %}
<tool_call>
{"name": "{{ call.function.name }}", "arguments": {{ call.function.arguments | tojson }}}
</tool_call>{% endfor %}<|im_end|>
{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant
<think>
{% endif %}"""
SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}
TOOL = {"type": "function", "function": {"name": "f", "description": "", "parameters": SCHEMA}}
HI = [{"role": "user", "content": "hi"}]
#: A parser that knows its family, and the one that infers all from the template.
PARSERS = [("qwen3-thinking", "qwen3-thinking"), ("chat-template", "chat-template")]


@dataclass
class House:
    """A library of one model and a scheduler of one scripted runner."""

    model: ModelSpec
    runner: ScriptedRunner
    queue_s: float = 0.0
    load_s: float = 0.0
    notices: tuple[()] = ()

    def resolve(self, name: str) -> ModelSpec:
        return self.model

    @asynccontextmanager
    async def lease(self, model: ModelSpec, *, keep_alive_s: float | None) -> AsyncIterator[House]:
        yield self

    def statistics(self) -> dict[str, float]:
        return {}


def house(pair: tuple[str, str], *pieces: str) -> House:
    return House(model_spec(renderer=pair[0], parser=pair[1], chat_template=TEMPLATE), ScriptedRunner(pieces))


def engine_of(house: House) -> CorralEngine:
    return CorralEngine(
        library=cast("Library", house),
        host=PluginHost.load(("hermes", "chat-template")),
        scheduler=house,  # type: ignore[arg-type]
        devices=list,  # type: ignore[arg-type, return-value]
        settings=Settings(),
    )


async def chat(house: House, **wanted: object) -> JsonObject:
    """Return the message that /api/chat answers with."""
    body = {"model": "m", "messages": HI, "think": True, "stream": False, **wanted}
    answer = await build_ollama(engine_of(house)).test_client().post("/api/chat", json=body)
    return (await answer.get_json())["message"]


async def complete(house: House, **wanted: object) -> JsonObject:
    """Return the message that /v1/chat/completions answers with."""
    body = {"model": "m", "messages": HI, **wanted}
    answer = await build_openai(engine_of(house)).test_client().post("/v1/chat/completions", json=body)
    return (await answer.get_json())["choices"][0]["message"]


@pytest.mark.parametrize("pair", PARSERS)
async def test_structured_output_follows_thinking_in_one_pass(pair: tuple[str, str]) -> None:
    native, openais = (house(pair, "I think {", "so</th", "ink>\n\n", '{"a"', ": 1}") for _ in range(2))
    form = {"type": "json_schema", "json_schema": {"name": "n", "schema": SCHEMA}}

    told = await chat(native, format=SCHEMA)
    said = await complete(openais, response_format=form)

    assert (told["thinking"].strip(), told["content"]) == ("I think {so", '{"a": 1}')
    assert (said["reasoning"].strip(), said["content"]) == ("I think {so", '{"a": 1}')
    for generation in (*native.runner.generations, *openais.runner.generations):
        assert generation.grammar.triggers == ("</think>",)
        assert accepts(generation.grammar.gbnf, '</think>\n\n{"a": 1}')
        assert not accepts(generation.grammar.gbnf, '</think>\n\n{"a": "x"}')
    assert [len(one.runner.generations) for one in (native, openais)] == [1, 1]


@pytest.mark.parametrize("pair", PARSERS)
async def test_a_call_after_thinking_is_read_in_both_dialects(pair: tuple[str, str]) -> None:
    pieces = ("Well", "</think>\n\n", "<tool_call>\n", '{"name": "f", "argu', 'ments": {"a": 1}}', "\n</tool_call>")

    told = await chat(house(pair, *pieces), tools=[TOOL])
    said = await complete(house(pair, *pieces), tools=[TOOL])

    assert (told["thinking"].strip(), told["content"]) == ("Well", "")
    assert told["tool_calls"][0]["function"]["arguments"] == {"a": 1}
    assert said["reasoning"].strip() == "Well"
    assert json.loads(said["tool_calls"][0]["function"]["arguments"]) == {"a": 1}


@pytest.mark.parametrize("pair", PARSERS)
async def test_a_forced_call_waits_for_the_end_of_thinking(pair: tuple[str, str]) -> None:
    one = house(pair, "Well</think>\n\n", '<tool_call>\n{"name": "f", "arguments": {"a": 1}}\n</tool_call>')

    said = await complete(one, tools=[TOOL], tool_choice="required")

    assert said["tool_calls"][0]["function"]["name"] == "f"
    gbnf = one.runner.generations[0].grammar.gbnf
    assert accepts(gbnf, 'Well</think>\n\n<tool_call>\n{"name": "f", "arguments": {"a": 1}}\n</tool_call>')
    assert not accepts(gbnf, "Well</think>\n\nHello")
