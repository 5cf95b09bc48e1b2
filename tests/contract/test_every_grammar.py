"""What every registered parser's grammar forces, llama.cpp can write and the parser reads back as valid calls."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import pytest
import sample_formats
from answers import read
from gbnf_writer import Writer

from corral.conversation import Conversation, Message, NamedTool
from corral.events import CallStatus, Diagnostic
from corral.formats import fold
from corral.plugins import Candidate, PluginHost
from corral.plugins.candidates import installed
from corral.testing import model_spec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from corral.conversation import JsonObject, Think, ToolChoice
    from corral.events import ParserEvent
    from corral.spec import ModelSpec

pytestmark = [pytest.mark.long, pytest.mark.model]
jsonschema_rs = pytest.importorskip("jsonschema_rs")

CHILD = Path(__file__).parents[1] / "fakes" / "grammar_child.py"
HOST = PluginHost.load(entry_points=[*installed(), Candidate(name="samples", load=lambda: sample_formats, distribution="samples")])
TEXTS = 20


def tool(tool_name: str, properties: JsonObject, *required: str, **more: object) -> JsonObject:
    parameters = {"type": "object", "properties": properties, "required": list(required), **more}
    return {"type": "function", "function": {"name": tool_name, "description": "Does it.", "parameters": parameters}}


NODE = {"type": "object", "properties": {"kids": {"type": "array", "items": {"$ref": "#/$defs/node"}, "maxItems": 2}}}
TOOLS = (
    tool("get_weather", {"city": {"type": "string"}, "days": {"type": "integer"}, "exact": {"type": "boolean"}}, "city"),
    tool("no_arguments", {}),
    tool("bounded", {"n": {"type": "integer", "minimum": -3, "maximum": 120}, "x": {"type": "number", "minimum": 0}}, "n", "x"),
    tool("choices", {"unit": {"enum": ["C", "F"]}, "mixed": {"enum": ["a b", 1, None, True]}, "only": {"const": "x"}}, "unit", "mixed"),
    tool("maybe", {"text": {"type": ["string", "null"]}, "n": {"anyOf": [{"type": "integer"}, {"type": "boolean"}]}}, "text", "n"),
    tool("either", {"v": {"anyOf": [{"type": "string"}, {"type": "integer"}]}, "w": {"type": ["string", "array"]}, "q": {}}, "v", "w"),
    tool("perhaps", {"id": {"anyOf": [{"type": "string", "pattern": "^[^b]+$"}, {"type": "null"}]}, "kind": {"$ref": "#/$defs/kind"}}, "id",
         **{"$defs": {"kind": {"type": "string", "enum": ["small", "large"]}}}),
    tool("lists", {"tags": {"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": 3}, "any": {"type": "array"}}, "tags"),
    tool("deep.er", {"at": {"type": "object", "properties": {"x": {"type": "number"}, "s": {"type": "string"}}, "required": ["x"]}}, "at"),
    tool("patterned", {"id": {"type": "string", "pattern": "^[a-z]{2}-\\d+$"}, "day": {"type": "string", "format": "date"}}, "id", "day"),
    tool("sized", {"word": {"type": "string", "minLength": 2, "maxLength": 4}, "some": {"type": "string", "minLength": 3}}, "word", "some"),
    tool("tree", {"root": {"$ref": "#/$defs/node"}}, "root", **{"$defs": {"node": NODE}}),
    tool("map-of", {"name": {"type": "string"}, "open": {"type": "object"}}, additionalProperties={"type": "integer"}),
)  # fmt: skip
SCHEMAS = {item["function"]["name"]: item["function"]["parameters"] for item in TOOLS}

#: What the generic parser infers its grammar from.
CALLING = """{{ tools | tojson if tools else '' }}{% for message in messages %}<|im_start|>{{ message.role }}
{{ message.content }}{% for call in message.tool_calls or [] %}<tool_call>
{"name": "{{ call.function.name }}", "arguments": {{ call.function.arguments | tojson }}}
</tool_call>{% endfor %}<|im_end|>
{% endfor %}{{ '<|im_start|>assistant\n' if add_generation_prompt else '' }}"""


def model_of(parser: str) -> ModelSpec:
    renderer = parser if parser in HOST.renderers() else "chat-template"
    return model_spec(renderer=renderer, parser=parser, chat_template=CALLING)


def forces_calls(parser: str) -> bool:
    support = HOST.parser_support(model_of(parser))
    return support.tools and support.constrains


@pytest.fixture(scope="module")
def judge(smollm2_path: Path) -> Iterator[Callable[[str, list[str]], list[str] | None]]:
    """Give a function that asks llama.cpp about the texts of a grammar."""
    command = [sys.executable, str(CHILD), str(smollm2_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:

        def ask(grammar: str, texts: list[str]) -> list[str] | None:
            process.stdin.write(json.dumps([grammar, texts]) + "\n")
            process.stdin.flush()
            return json.loads(process.stdout.readline())

        yield ask
        process.stdin.close()


def forced(choice: ToolChoice, think: Think, *, parallel: bool) -> Conversation:
    message = Message(role="user", content="Hi")
    return Conversation(messages=(message,), tools=TOOLS, tool_choice=choice, think=think, parallel_tool_calls=parallel)


CASES = [
    *((forced("required", think, parallel=parallel), SCHEMAS) for think in (False, True) for parallel in (True, False)),
    *((forced(NamedTool(name=name), False, parallel=True), {name: schema}) for name, schema in SCHEMAS.items()),
]


@pytest.mark.parametrize("name", [name for name in sorted(HOST.parsers()) if forces_calls(name)])
def test_forced_calls_are_written_by_llama_cpp_and_read_back(name: str, judge: Callable[[str, list[str]], list[str] | None]) -> None:
    model = model_of(name)
    for conversation, schemas in CASES:
        prompt = HOST.render_prompt(model, conversation)
        grammar = HOST.parse_output(model, conversation, prompt).grammar(conversation)
        assert not grammar.triggers
        writer = Writer(grammar.gbnf, Random(name))
        texts = [writer.write() for _ in range(TEXTS)]
        assert judge(grammar.gbnf, texts) == [""] * TEXTS
        for text in texts:
            check_calls(read(HOST.parse_output(model, conversation, prompt), [text]), schemas)


def check_calls(events: list[ParserEvent], schemas: dict[str, JsonObject]) -> None:
    answer = fold(events)
    assert answer.tool_calls
    assert answer.content.strip() == ""
    assert [event for event in events if isinstance(event, Diagnostic)] == []
    for call in answer.tool_calls:
        assert call.status is CallStatus.OK, call.raw
        jsonschema_rs.validate(schemas[call.name], call.arguments)
