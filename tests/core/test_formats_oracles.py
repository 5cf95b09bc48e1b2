"""On well-formed calls, corral's parsers and SGLang's detectors read the same (P20)."""

from __future__ import annotations

import json

import pytest
from answers import TOOLS, read
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sample_formats import FORMATS
from sglang_reference import detect

from corral.conversation import ToolCall
from corral.formats import Format, JsonCalls, On, Sink, State, XmlCalls, fold, template_text

pytestmark = pytest.mark.long

_TEXT = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S", "Z"), exclude_characters="<>|"), max_size=15).map(str.strip)
_WEATHER = st.builds(
    ToolCall,
    name=st.just("get_weather"),
    arguments=st.fixed_dictionaries({"city": _TEXT}, optional={"days": st.integers(-99, 99), "flags": st.lists(st.booleans(), max_size=3)}),
)
_CALLS = st.lists(_WEATHER | st.just(ToolCall(name="stop", arguments={})), min_size=1, max_size=3)
_QWEN = Format(states={"content": State(Sink.CONTENT, (On("<tool_call>", call=XmlCalls(instead=JsonCalls(close="</tool_call>"))),))})


def _xml(call: ToolCall) -> str:
    values = "".join(f"<parameter={key}>\n{template_text(value)}\n</parameter>\n" for key, value in call.arguments.items())
    return f"<tool_call>\n<function={call.name}>\n{values}</function>\n</tool_call>"


def _json(call: ToolCall) -> str:
    return f"<tool_call>\n{json.dumps({'name': call.name, 'arguments': call.arguments}, ensure_ascii=False)}\n</tool_call>"


def _section(call: ToolCall) -> str:
    return f"<｜tool▁call▁begin｜>{call.name}<｜tool▁sep｜>{json.dumps(call.arguments, ensure_ascii=False)}<｜tool▁call▁end｜>"


def _bare(call: ToolCall) -> str:
    return json.dumps({"name": call.name, "arguments": call.arguments}, ensure_ascii=False)


FAMILIES = {
    "qwen3-coder": (_QWEN, lambda calls: "\n".join(map(_xml, calls)), ("qwen3_coder_detector", "Qwen3CoderDetector")),
    "hermes": (FORMATS["sample-json"], lambda calls: "\n".join(map(_json, calls)), ("qwen25_detector", "Qwen25Detector")),
    "mistral": (
        FORMATS["sample-json-list"],
        lambda calls: f"[TOOL_CALLS] [{', '.join(map(_bare, calls))}]",
        ("mistral_detector", "MistralDetector"),
    ),
    "deepseek3.1": (
        FORMATS["sample-section"],
        lambda calls: f"<｜tool▁calls▁begin｜>{''.join(map(_section, calls))}<｜tool▁calls▁end｜>",
        ("deepseekv31_detector", "DeepSeekV31Detector"),
    ),
}


@pytest.mark.parametrize("family", sorted(FAMILIES))
@given(calls=_CALLS)
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
def test_well_formed_calls_are_read_as_sglang_reads_them(family: str, calls: list[ToolCall]) -> None:
    form, write, (module, detector) = FAMILIES[family]
    text = write(calls)
    ours = [(call.name, call.arguments) for call in fold(read(form.parser(TOOLS), [text])).tool_calls]
    assert ours == [(call.name, call.arguments) for call in calls]
    assert ours == detect(module, detector, text, TOOLS)
