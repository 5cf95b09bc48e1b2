"""Generate what models might write: text, tags of all families, whole calls, cut calls, and any mix of them."""

from __future__ import annotations

import itertools
import json
from typing import TYPE_CHECKING

from hypothesis import strategies as st

if TYPE_CHECKING:
    from corral.conversation import JsonObject
    from corral.events import OutputParser, ParserEvent

TOOLS: tuple[JsonObject, ...] = (
    {
        "type": "function",
        "function": {
            "name": "get_weather",
            "description": "Look outside",
            "parameters": {
                "type": "object",
                "properties": {
                    "city": {"type": "string"},
                    "days": {"type": "integer"},
                    "units": {"type": ["string", "null"]},
                    "flags": {"type": "array", "items": {"type": "boolean"}},
                },
                "required": ["city"],
            },
        },
    },
    {"type": "function", "function": {"name": "stop", "description": "Stop", "parameters": {"type": "object", "properties": {}}}},
)

_JSON_CALL = json.dumps({"name": "get_weather", "arguments": {"city": "Ulm", "days": 3}})

#: Tags of many families, whole.
TAGS = (
    "<tool_call>", "</tool_call>", "<function=", "<function=get_weather>", "</function>", "<parameter=",
    "<parameter=city>", "<parameter=days>", "</parameter>", "<think>", "</think>", "<|tool_call_start|>",
    "<|tool_call_end|>", "[TOOL_CALLS]", "[ARGS]", "[THINK]", "[/THINK]", "<|channel|>", "<|message|>", "<|start|>",
    "<|end|>", "<|call|>", "<|return|>", "<|constrain|>", "<｜tool▁calls▁begin｜>", "<｜tool▁call▁begin｜>",
    "<｜tool▁sep｜>", "<｜tool▁call▁end｜>", "<｜tool▁calls▁end｜>", "<arg_key>", "</arg_key>", "<arg_value>",
    "</arg_value>", "<|START_ACTION|>", "<|END_ACTION|>", "<|START_TEXT|>", "<|END_TEXT|>", "<|START_THINKING|>",
    "<|END_THINKING|>", "<function_calls>", "</function_calls>", "<|tool_call>", "<tool_call|>", '<|"|>',
    "<channel|>", "<start_function_call>", "<end_function_call>", "<escape>", "```json", "```", '<invoke name="',
    "</invoke>", "<minimax:tool_call>", "</minimax:tool_call>", "<seed:tool_call>", "</seed:tool_call>",
    "<|python_tag|>", "<|tool_calls_section_begin|>", "<|tool_call_begin|>", "<|tool_call_argument_begin|>",
    "<TOOLCALL>", "</TOOLCALL>", "<|tool_call|>", "analysis", "commentary", "final", " to=functions.get_weather",
    "assistant", "get_weather", "functions.get_weather:0", "(", ")", "call:",
)  # fmt: skip

#: Whole calls in the syntax of several families.
CALLS = (
    "<tool_call>\n<function=get_weather>\n<parameter=city>\nUlm\n</parameter>\n<parameter=days>\n3\n</parameter>\n</function>\n</tool_call>",
    f"<tool_call>\n{_JSON_CALL}\n</tool_call>",
    f"[TOOL_CALLS][{_JSON_CALL}]",
    '[TOOL_CALLS]get_weather[ARGS]{"city": "Ulm"}',
    '<|channel|>commentary to=functions.get_weather <|constrain|>json<|message|>{"city": "Ulm"}<|call|>',
    '<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>get_weather<｜tool▁sep｜>{"city": "Ulm"}<｜tool▁call▁end｜><｜tool▁calls▁end｜>',
    "<tool_call>get_weather\n<arg_key>city</arg_key>\n<arg_value>Ulm</arg_value>\n</tool_call>",
    "<function_calls>get_weather(city=\"Ulm\", days=3)</function_calls>",
    "<|tool_call_start|>[get_weather(city='Ulm')]<|tool_call_end|>",
    '<|tool_call>call:get_weather{city:<|"|>Ulm<|"|>,days:3}<tool_call|>',
    '<minimax:tool_call>\n<invoke name="get_weather">\n<parameter name="city">Ulm</parameter>\n</invoke>\n</minimax:tool_call>',
    '{"name": "get_weather", "parameters": {"city": "Ulm"}}',
    "[get_weather(city='Ulm')]",
)  # fmt: skip

_WORDS = st.text(st.characters(codec="utf-8", categories=("L", "N")), min_size=1, max_size=6)
_SPACES = st.sampled_from([" ", "\n", "\n\n", "\u00a0", "\u3000", "\t", " \n "])
_ODD = st.text(max_size=5)
_CUT = st.sampled_from(TAGS + CALLS).flatmap(lambda text: st.integers(0, len(text)).map(lambda size: text[:size]))
_TAIL = st.sampled_from(CALLS).flatmap(lambda text: st.integers(0, len(text)).map(lambda size: text[size:]))

#: Answers with every kind of fault.
ANSWERS = st.lists(_WORDS | _SPACES | _ODD | _CUT | _TAIL | st.sampled_from(TAGS) | st.sampled_from(CALLS), max_size=9).map("".join)
#: Answers without any character that could begin a tag.
PLAIN = st.text(st.characters(codec="utf-8", categories=("L", "N", "Z"), include_characters="\n\t .,;!?"), max_size=60)
#: Text in which tags begin and are not finished.
FAKE_OUTS = st.lists(
    st.sampled_from(TAGS).flatmap(lambda t: st.integers(1, max(1, len(t) - 1)).map(lambda n: t[:n] + "~")), max_size=5
).map("".join)


@st.composite
def pieces(draw: st.DrawFn, text: str) -> list[str]:
    """Draw a way to cut a text into pieces, empty ones among them."""
    cuts = sorted(draw(st.lists(st.integers(0, len(text)), max_size=12)))
    bounds = [0, *cuts, len(text)]
    return [text[start:end] for start, end in itertools.pairwise(bounds)]


def read(parser: OutputParser, parts: list[str]) -> list[ParserEvent]:
    """Return all events of an answer that arrives in those pieces."""
    return [event for part in parts for event in parser.feed(part)] + parser.finish("stop")
