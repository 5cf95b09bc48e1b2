"""No reference template is claimed by two renderers, or by two parsers."""

from __future__ import annotations

import pytest
from family import Reference, collect
from fetch_templates import reference_template, templates_folder

from corral.plugins import PluginHost

HOST = PluginHost.load()
#: A second name for a renderer is never detected.
DETECTED = [reference for reference in collect(Reference) if HOST.renderers()[reference.renderer].detect is not None]


@pytest.mark.long
def test_no_template_is_claimed_twice() -> None:
    for path in sorted(templates_folder().glob("*.jinja")):
        template = path.read_text(encoding="utf-8")
        for offers in (HOST.renderers(), HOST.parsers()):
            found = [offer.name for offer in offers.values() if offer.detect is not None and offer.detect.match(template)]
            assert len(found) <= 1, f"{path.name}: {found}"


@pytest.mark.long
@pytest.mark.parametrize("reference", DETECTED, ids=lambda reference: f"{reference.renderer}-{reference.template}")
def test_a_template_is_detected_as_its_renderer_and_a_parser_of_the_same_calls(reference: Reference) -> None:
    template = reference.edit(reference_template(reference.template))
    renderers = [offer for offer in HOST.renderers().values() if offer.detect is not None and offer.detect.match(template)]
    parsers = [offer for offer in HOST.parsers().values() if offer.detect is not None and offer.detect.match(template)]
    assert [offer.name for offer in renderers] == [reference.renderer]
    assert [offer.call_format for offer in parsers] == [renderers[0].call_format]


@pytest.mark.long
@pytest.mark.parametrize(
    ("template", "parser"),
    [
        ("CohereForAI-c4ai-command-r7b-12-2024-tool_use.jinja", "cohere"),
        ("Qwen3-Coder.jinja", "qwen3-coder"),
        ("deepseek-ai-DeepSeek-R1-Distill-Llama-8B.jinja", "deepseek-r1"),
        ("deepseek-ai-DeepSeek-R1-Distill-Qwen-32B.jinja", "deepseek-r1"),
        ("deepseek-ai-DeepSeek-V3.1.jinja", "deepseek3"),
        ("google-gemma-4-31B-it-interleaved.jinja", "gemma4"),
        ("llama-cpp-deepseek-r1.jinja", "deepseek-r1"),
        ("moonshotai-Kimi-K2.jinja", "kimi-k2"),
        ("openai-gpt-oss-120b.jinja", "harmony"),
    ],
)
def test_a_template_is_detected_for_its_parser_whoever_renders_it(template: str, parser: str) -> None:
    text = reference_template(template)
    assert [offer.name for offer in HOST.parsers().values() if offer.detect is not None and offer.detect.match(text)] == [parser]
