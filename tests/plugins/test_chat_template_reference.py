"""The generic renderer equals transformers, byte for byte, over the reference templates of llama.cpp.

The reference environment is transformers' own; a conversation that a template refuses there is offered again the way
corral does it: arguments as text, the system message merged into the next one.
"""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC, datetime
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from fetch_templates import templates_folder
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from corral.conversation import Conversation, Message, SegmentKind, ToolCall
from corral.errors import InvalidTemplate
from corral.spec import Choice, ModelFacts, ModelSpec, Origin
from corral_chat_template.sandbox import Sandbox
from corral_chat_template.templates import Templates

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.long
transformers = pytest.importorskip("transformers.utils.chat_template_utils")

BOS, EOS = "<s>", "</s>"
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def pytest_generate_tests(metafunc):
    if "template" in metafunc.fixturenames:
        files = sorted(templates_folder().glob("*.jinja"))
        metafunc.parametrize("template", files, ids=[file.stem for file in files])


@pytest.fixture(scope="module")
def templates():
    templates = Templates(Sandbox(clock=lambda: NOW))
    yield templates
    templates.close()


def model(source: str) -> ModelSpec:
    choice = Choice(name="chat-template", origin=Origin.DEFAULT)
    facts = ModelFacts(architecture="llama", chat_template=source, bos_token=BOS, eos_token=EOS)
    return ModelSpec(name="m", digest="0" * 64, path=Path("m"), facts=facts, renderer=choice, parser=choice, runner=choice)


def reference(source: str, conversation: Conversation) -> Iterator[str]:
    """Yield what transformers makes of a conversation in each dialect that the template accepts."""
    compiled = transformers._compile_jinja_template(source)
    widen(compiled.environment)
    variables = {"bos_token": BOS, "eos_token": EOS, "add_generation_prompt": True, **thinking(conversation)}
    if conversation.tools:
        variables["tools"] = list(conversation.tools)
    if "firefunction" in source or "functools" in source:
        variables |= {"functions": json.dumps(conversation.tools, indent=4, ensure_ascii=False), "datetime": f"{NOW:%Y-%m-%d %H:%M:%S}"}
    for merged, as_text in product((False, True), (False, True)):
        messages = [openai_message(message, as_text=as_text) for message in conversation.messages]
        with suppress(Exception):
            yield compiled.render(messages=merge(messages) if merged else messages, **variables)


def widen(environment) -> None:
    """Give transformers' environment what llama.cpp has: without it 7 of the templates fail."""
    environment.globals["strftime_now"] = NOW.strftime
    environment.filters["from_json"] = json.loads
    environment.filters["tojson"] = lambda value, ensure_ascii=False, indent=None, separators=None, sort_keys=False: json.dumps(
        value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys, default=list
    )
    environment.is_safe_attribute = lambda _object, name, _value: not name.startswith("_")


def thinking(conversation: Conversation) -> dict:
    match conversation.think:
        case None:
            return {}
        case bool():
            return {"enable_thinking": conversation.think, "thinking": conversation.think}
        case level:
            return {"enable_thinking": True, "thinking": True, "reasoning_effort": level}


def openai_message(message: Message, *, as_text: bool) -> dict:
    calls = [
        {
            **({"id": call.id} if call.id else {}),
            "type": "function",
            "function": {"name": call.name, "arguments": json.dumps(call.arguments, ensure_ascii=False) if as_text else call.arguments},
        }
        for call in message.tool_calls
    ]
    return {
        "role": message.role,
        "content": message.content,
        **({"reasoning_content": message.thinking, "thinking": message.thinking} if message.thinking else {}),
        **({"tool_calls": calls} if calls else {}),
        **({"name": message.tool_name} if message.tool_name else {}),
        **({"tool_call_id": message.tool_call_id} if message.tool_call_id else {}),
    }


def merge(messages: list[dict]) -> list[dict]:
    merged, waiting = [], []
    for message in messages:
        if message["role"] == "system":
            waiting.append(message["content"])
        else:
            merged.append({**message, "content": "\n".join([*waiting, message["content"]])} if waiting else message)
            waiting = []
    return [*merged, {"role": "user", "content": "\n".join(waiting)}] if waiting else merged


def check(templates: Templates, source: str, conversation: Conversation) -> None:
    expected = list(reference(source, conversation))
    try:
        prompt = templates.render(model(source), conversation)
    except InvalidTemplate:
        assert expected == []
        return
    assert prompt.text in expected
    if templates.traits(model(source).facts).system and not any(message.tool_calls for message in conversation.messages):
        assert prompt.text == expected[0]


TOOLS = (
    {
        "type": "function",
        "function": {
            "name": "get_weather",
            "description": 'Weather of a "city" <b>&',
            "parameters": {
                "type": "object",
                "properties": {
                    "city": {"type": "string", "description": "Where?\nThere."},
                    "unit": {"type": "string", "enum": ["C", "F"]},
                    "days": {"type": "integer", "default": 1},
                },
                "required": ["city"],
            },
        },
    },
    {"type": "function", "function": {"name": "now", "description": "", "parameters": {"type": "object", "properties": {}}}},
)
FRAGMENTS = (
    "<|im_end|>\n<|im_start|>system\n",
    "</think>",
    "<think>a</think>b",
    "{{ x }}",
    "[/INST]",
    "é\u2028",
    '"\\',
    "<tool_call>",
    "  ",
    "\n",
)
texts = st.lists(st.one_of(st.sampled_from(FRAGMENTS), st.text(max_size=8)), max_size=4).map("".join)
values = st.one_of(texts, st.integers(-9, 9), st.booleans(), st.none(), st.floats(-9, 9), st.lists(st.integers(0, 3), max_size=2))
calls = st.builds(
    ToolCall,
    name=st.sampled_from(["get_weather", "now"]),
    arguments=st.dictionaries(st.sampled_from(["city", "days", "x"]), values, max_size=3),
    id=st.sampled_from(["call_0001", "abcdefghi"]),
)


@st.composite
def conversations(draw) -> Conversation:
    tools = draw(st.sampled_from([(), TOOLS[:1], TOOLS]))
    messages = [Message(role="system", content=draw(texts))] if draw(st.booleans()) else []
    for _ in range(draw(st.integers(0, 2))):
        messages.append(Message(role="user", content=draw(texts)))
        made = tuple(draw(st.lists(calls, max_size=2))) if tools else ()
        messages.append(Message(role="assistant", content=draw(texts), thinking=draw(texts), tool_calls=made))
        messages += [Message(role="tool", content=draw(texts), tool_name=call.name, tool_call_id=call.id) for call in made]
    messages.append(Message(role="user", content=draw(texts)))
    return Conversation(messages=tuple(messages), tools=tools, think=draw(st.sampled_from([None, True, False, "low"])))


def test_every_conversation_renders_as_transformers_renders_it(templates, template):
    source = template.read_text(encoding="utf-8")

    @settings(max_examples=500, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True, database=None)
    @given(conversations())
    def run(conversation):
        check(templates, source, conversation)

    run()


def test_no_text_of_others_becomes_control_text(templates, template):
    source = template.read_text(encoding="utf-8")
    secret = "qz<|qz|>qz"
    parameters = {"type": "object", "properties": {"city": {"type": "string", "description": secret}}, "required": ["city"]}
    tool = {"type": "function", "function": {"name": "get_weather", "description": secret, "parameters": parameters}}
    call = ToolCall(name="get_weather", arguments={"city": secret}, id="abcdefghi")
    conversation = Conversation(
        messages=(
            Message(role="system", content=secret),
            Message(role="user", content=secret),
            Message(role="assistant", content="", thinking=secret, tool_calls=(call,)),
            Message(role="tool", content=secret, tool_name="get_weather", tool_call_id="abcdefghi"),
            Message(role="assistant", content=secret),
            Message(role="user", content=secret),
        ),
        tools=(tool,),
    )
    if not templates.traits(model(source).facts).calls:
        conversation = Conversation(messages=(conversation.messages[0], *conversation.messages[-1:]))
    prompt = templates.render(model(source), conversation)
    assert secret in prompt.text
    assert not any(
        "qz" in segment.text or "Weather of" in segment.text for segment in prompt.segments if segment.kind is SegmentKind.CONTROL
    )


#: What llama.cpp finds by watching which values a template reads, for all templates but the usual ones:
#: system, tools, calls, parallel calls, arguments as objects, plain text, typed text, kept reasoning, reasoning effort.
USUAL = "111111000"
MATRIX = {
    "google-gemma-2-2b-it": "000001000",
    **dict.fromkeys(
        (
            "HuggingFaceTB-SmolLM3-3B",
            "deepseek-ai-DeepSeek-R1-Distill-Llama-8B",
            "llama-cpp-rwkv-world",
            "microsoft-Phi-3.5-mini-instruct",
        ),
        "100001000",
    ),
    **dict.fromkeys(("LFM2-8B-A1B", "LFM2.5-Instruct", "ibm-granite-granite-3.3-2B-Instruct"), "110001000"),
    **dict.fromkeys(
        ("deepseek-ai-DeepSeek-R1-Distill-Qwen-32B", "deepseek-ai-DeepSeek-V3.1", "fireworks-ai-llama-3-firefunction-v2"), "101111000"
    ),
    **dict.fromkeys(
        (
            "GigaChat3-10B-A1.8B",
            "GigaChat3.1-10B-A1.8B",
            "meta-llama-Llama-3.1-8B-Instruct",
            "meta-llama-Llama-3.2-3B-Instruct",
            "meta-llama-Llama-3.3-70B-Instruct",
        ),
        "111011000",
    ),
    "openai-gpt-oss-120b": "111011001",
    "meetkai-functionary-medium-v3.2": "111101000",
}
TYPED = [
    "Apriel",
    "GLM-4",
    "Kimi",
    "moonshotai",
    "MiniMax",
    "Mistral-Small-3.2",
    "Qwen3.5",
    "Reka",
    "Spark",
    "StepFun",
    "google-gemma-4",
    "ibm-granite-granite-4",
    "muse-glimmer",
    "tencent-Hy3",
    "unsloth-Apriel",
    "unsloth-mistral-Devstral",
    "Cohere2MoE",
]
KEEPS_REASONING = [
    "Bielik",
    "ByteDance-Seed-OSS",
    "Cohere2MoE",
    "GLM-4.7",
    "Kimi-K3",
    "MiniMax-M3",
    "NVIDIA-Nemotron-3",
    "Spark",
    "deepseek-ai-DeepSeek-V4",
    "inclusionai-ling",
    "muse-glimmer",
    "poolside-Laguna",
]
HAS_EFFORT = ["Cohere2MoE", "deepseek-ai-DeepSeek-V4", "openai-gpt-oss", "tencent-Hy3", "upstage-Solar", "muse-glimmer"]
#: Where rendered output tells more than watching does, or less.
DIFFERENT = {
    "LFM2.5-8B-A1B": "shows typed text, and keeps reasoning",
    "mistralai-Ministral-3-14B-Reasoning-2512": "shows typed text",
    "muse-glimmer": "asks for the effort under a name of its own",
}


def test_probing_finds_what_llama_cpp_finds(templates, template):
    traits = templates.traits(model(template.read_text(encoding="utf-8")).facts)
    name = template.name.removesuffix(".jinja")
    expected = list(MATRIX.get(name, USUAL))
    for place, names in ((6, TYPED), (7, KEEPS_REASONING), (8, HAS_EFFORT)):
        expected[place] = "1" if name.startswith(tuple(names)) or expected[place] == "1" else "0"
    found = (
        traits.system,
        traits.tools,
        traits.calls,
        traits.parallel_calls,
        traits.calls and traits.object_arguments,
        traits.string_content,
        traits.typed_content,
        traits.preserves_reasoning,
        traits.reasoning_effort,
    )
    shown = "".join(str(int(flag)) for flag in found)
    assert (shown != "".join(expected)) is (name in DIFFERENT), shown


#: Templates that show calls in a syntax that is none of the four that can be inferred; plugins read most of them.
UNREADABLE = {
    "Apertus-8B-Instruct",
    "Kimi-K3",
    "MiniMax-M3",
    "google-gemma-4-31B-it",
    "google-gemma-4-31B-it-interleaved",
    "meetkai-functionary-medium-v3.2",
    "muse-glimmer",
    "openai-gpt-oss-120b",
    "upstage-Solar-Open-100B",
}


def test_the_calls_of_a_template_can_be_read_and_forced(templates, template):
    traits = templates.traits(model(template.read_text(encoding="utf-8")).facts)
    can_read = traits.calls_format is not None and traits.calls_format.grammar is not None
    assert can_read is (traits.calls and template.name.removesuffix(".jinja") not in UNREADABLE)
