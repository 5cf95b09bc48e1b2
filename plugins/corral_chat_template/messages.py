"""Show a conversation as chat templates expect it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from corral.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from corral.conversation import Conversation, Json, JsonObject, Message, Think, ToolCall
    from corral.spec import ModelFacts

#: Variables that a request's own template arguments must not replace.
RESERVED = frozenset({"messages", "tools", "add_generation_prompt", "bos_token", "eos_token", "strftime_now"})

#: Variables that templates of 2024 needed for tools and dates, before there were `tools` and `strftime_now`.
LEGACY = ("functions", "datetime")


def variables(conversation: Conversation, facts: ModelFacts, messages: Sequence[JsonObject], *, generation_prompt: bool) -> JsonObject:
    """Return what the template of a model finds; `tools` stays undefined when there are none, as templates expect."""
    clash = sorted(RESERVED & conversation.template_arguments.keys())
    if clash:
        raise InvalidInput(f"template arguments must not replace {', '.join(clash)}; send them as fields of the request")
    tools: JsonObject = {"tools": list(conversation.tools)} if conversation.tools and conversation.tool_choice != "none" else {}
    return {
        **thinking_variables(conversation.think),
        **conversation.template_arguments,
        **tools,
        "messages": list(messages),
        "add_generation_prompt": generation_prompt,
        "bos_token": facts.bos_token,
        "eos_token": facts.eos_token,
    }


def legacy_variables(conversation: Conversation, now: datetime) -> JsonObject:
    """Return what old templates need, the way their authors filled it in."""
    return {"functions": json.dumps(conversation.tools, indent=4, ensure_ascii=False), "datetime": f"{now:%Y-%m-%d %H:%M:%S}"}


def thinking_variables(think: Think) -> JsonObject:
    """Return the names under which templates ask whether, and how hard, the model shall think."""
    match think:
        case None:
            return {}
        case bool():
            return {"enable_thinking": think, "thinking": think}
        case level:
            return {"enable_thinking": True, "thinking": True, "reasoning_effort": level}


def describe(message: Message, arguments: Callable[[ToolCall], Json]) -> JsonObject:
    """Return one message in the shape that templates read; reasoning under both of its usual names."""
    described: JsonObject = {"role": message.role, "content": message.content}
    if message.thinking:
        described |= {"reasoning_content": message.thinking, "thinking": message.thinking}
    if message.tool_calls:
        described["tool_calls"] = [_describe_call(call, arguments) for call in message.tool_calls]
    if message.tool_name:
        described["name"] = message.tool_name
    if message.tool_call_id:
        described["tool_call_id"] = message.tool_call_id
    return described


def _describe_call(call: ToolCall, arguments: Callable[[ToolCall], Json]) -> JsonObject:
    identity: JsonObject = {"id": call.id} if call.id else {}
    return {**identity, "type": "function", "function": {"name": call.name, "arguments": arguments(call)}}


def merge_system(messages: Sequence[JsonObject]) -> list[JsonObject]:
    """Put system text in front of the next message, for templates that refuse or forget a system message."""
    merged: list[JsonObject] = []
    waiting: list[str] = []
    for message in messages:
        if message["role"] == "system":
            waiting.append(str(message["content"]))
            continue
        content = "\n".join((*waiting, str(message["content"])))
        merged.append({**message, "content": content} if waiting else message)
        waiting = []
    return [*merged, {"role": "user", "content": "\n".join(waiting)}] if waiting else merged
