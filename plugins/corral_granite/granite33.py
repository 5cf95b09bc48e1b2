"""Render a conversation as Granite 3.3's reference template does, with the calls of earlier turns, which the reference forgets.

The template's own variables mean what they mean there: `documents` to answer from, and `controls` of the answer's form.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from corral.errors import InvalidInput
from corral.formats import PromptBuilder, dump_json, refuse_images, split_prefill, template_text
from corral_granite.instructions import write_instructions

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from corral.conversation import Conversation, Json, JsonObject, Message, Prompt, ToolCall

_END = "<|end_of_text|>"
STOP = (_END,)

_ROLES = frozenset({"system", "user", "assistant", "tool"})


def render(conversation: Conversation) -> Prompt:
    """Return the prompt. A last assistant message without calls is left open for the model to continue."""
    refuse_images(conversation.messages, "Granite 3.3")
    turns, prefill = split_prefill(conversation.messages)
    documents, controls = _documents(conversation.template_arguments), _controls(conversation.template_arguments)
    prompt = PromptBuilder()
    if turns and turns[0].role == "system":
        _turn(prompt, turns[0])
        turns = turns[1:]
    else:
        prompt.control("<|start_of_role|>system<|end_of_role|>")
        write_instructions(prompt, conversation, controls, has_documents=bool(documents))
        prompt.control(f"{_END}\n")
    _tools(prompt, conversation.tools)
    for document in documents:
        _document(prompt, document)
    for message in turns:
        _turn(prompt, message)
    prompt.control("<|start_of_role|>assistant").user(f" {dump_json(controls)}" if controls else "").control("<|end_of_role|>")
    prompt.begin_answer().user(prefill.content if prefill else "")
    return prompt.build(stop=STOP)


def _documents(arguments: Mapping[str, Json]) -> list[JsonObject]:
    found = arguments.get("documents") or []
    entries = found if isinstance(found, list) else [found]
    documents = [entry for entry in entries if isinstance(entry, dict)]
    if len(documents) != len(entries):
        raise InvalidInput("chat_template_kwargs.documents: must be a list of objects with doc_id and text")
    return documents


def _controls(arguments: Mapping[str, Json]) -> JsonObject:
    controls = arguments.get("controls") or {}
    if not isinstance(controls, dict):
        raise InvalidInput("chat_template_kwargs.controls: must be an object")
    return controls


def _tools(prompt: PromptBuilder, tools: Sequence[JsonObject]) -> None:
    if tools:
        prompt.control("<|start_of_role|>available_tools<|end_of_role|>")
        prompt.user(json.dumps(list(tools), ensure_ascii=False, indent=4)).control(f"{_END}\n")


def _document(prompt: PromptBuilder, document: JsonObject) -> None:
    prompt.control("<|start_of_role|>document ").user(f'{{"document_id": "{template_text(document.get("doc_id", ""))}"}}')
    prompt.control("<|end_of_role|>\n").user(template_text(document.get("text", ""))).control(f"{_END}\n")


def _turn(prompt: PromptBuilder, message: Message) -> None:
    prompt.control("<|start_of_role|>")
    (prompt.control if message.role in _ROLES else prompt.user)(message.role)
    prompt.control("<|end_of_role|>").user(message.content)
    if message.tool_calls:
        prompt.control("<|tool_call|>").user(f"[{', '.join(map(_call_text, message.tool_calls))}]")
    prompt.control(f"{_END}\n")


def _call_text(call: ToolCall) -> str:
    return f'{{"name": {dump_json(call.name)}, "arguments": {dump_json(call.arguments)}}}'
