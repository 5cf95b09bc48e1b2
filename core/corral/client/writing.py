"""Write requests as the native API's JSON."""

from __future__ import annotations

import math
from base64 import b64encode
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from corral.api import CreateRequest, Request
    from corral.conversation import Conversation, Json, JsonObject, Message


def chat_body(request: Request) -> JsonObject:
    """Return the body of /api/chat."""
    conversation = request.conversation
    body: JsonObject = {"model": request.model, "messages": [message_json(m) for m in conversation.messages], **_common(request)}
    if conversation.tools:
        body["tools"] = list(conversation.tools)
    return body


def generate_body(request: Request) -> JsonObject:
    """Return the body of /api/generate for a prompt that is passed on verbatim."""
    return {"model": request.model, "prompt": request.raw or "", "raw": True, **_common(request)}


def _common(request: Request) -> JsonObject:
    body: JsonObject = {"stream": True, "truncate": request.truncate, "shift": request.shift, **_choices(request.conversation)}
    if request.keep_alive_s is not None:
        body["keep_alive"] = keep_alive_json(request.keep_alive_s)
    return body


def _choices(conversation: Conversation) -> JsonObject:
    given: JsonObject = {"options": conversation.options, "think": conversation.think, "format": conversation.format}
    return {key: value for key, value in given.items() if value is not None and value != {}}


def keep_alive_json(seconds: float) -> Json:
    """Return a keep-alive: -1 is for ever."""
    return -1 if math.isinf(seconds) else seconds


def message_json(message: Message) -> JsonObject:
    """Return a message in Ollama's shape; what is empty is left out."""
    calls: list[Json] = [{"id": call.id, "function": {"name": call.name, "arguments": call.arguments}} for call in message.tool_calls]
    images: list[Json] = [b64encode(image).decode() for image in message.images]
    optional: JsonObject = {
        "thinking": message.thinking,
        "images": images,
        "tool_calls": calls,
        "tool_name": message.tool_name,
        "tool_call_id": message.tool_call_id,
    }
    return {"role": message.role, "content": message.content, **{key: value for key, value in optional.items() if value}}


def create_body(request: CreateRequest) -> JsonObject:
    """Return the body of /api/create; what is empty is inherited, so it is left out. An empty string is not empty here."""
    texts: dict[str, str | None] = {
        "template": request.template,
        "system": request.system,
        "renderer": request.renderer,
        "parser": request.parser,
        "runner": request.runner,
    }
    collections: JsonObject = {
        "from": request.base,
        "files": dict(request.files),
        "adapters": dict(request.adapters),
        "drafts": dict(request.drafts),
        "requires": request.requires,
        "license": list(request.licenses),
        "parameters": request.parameters,
        "messages": [message_json(message) for message in request.messages],
    }
    return {
        "model": request.model,
        **{key: text for key, text in texts.items() if text is not None},
        **{key: value for key, value in collections.items() if value},
    }
