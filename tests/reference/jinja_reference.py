"""Render a reference template as transformers does, for comparison."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from fetch_templates import reference_template
from jinja2.sandbox import ImmutableSandboxedEnvironment

if TYPE_CHECKING:
    from corral.conversation import Conversation, Json, JsonObject, Message


def render_reference(template: str, conversation: Conversation, **variables: Json) -> str:
    """Return the text that the named reference template gives for a conversation."""
    return render_template(reference_template(template), conversation, **variables)


def render_template(source: str, conversation: Conversation, **variables: Json) -> str:
    """Return the text that a template gives for a conversation."""
    environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.loopcontrols"])
    environment.filters["tojson"] = _tojson
    messages = [message_to_json(message) for message in conversation.messages]
    tools: dict[str, Json] = {"tools": list(conversation.tools)} if conversation.tools else {}
    return environment.from_string(source).render(messages=messages, **{"add_generation_prompt": True, **tools, **variables})


def message_to_json(message: Message) -> JsonObject:
    """Return a message in the shape that templates read."""
    data: JsonObject = {"role": message.role, "content": message.content}
    if message.thinking:
        data["reasoning_content"] = message.thinking
    if message.tool_calls:
        data["tool_calls"] = [{"type": "function", "function": {"name": c.name, "arguments": c.arguments}} for c in message.tool_calls]
    return data


def _tojson(value: Json, indent: int | None = None) -> str:
    return json.dumps(value, ensure_ascii=False, indent=indent)
