"""What a native request asks of the engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from corral.api import Request
from corral.conversation import Conversation, Message, ToolCall
from corral.errors import InvalidInput
from corral.options import merge
from corral_api.arguments import arguments_of, json_object
from corral_api.keep_alive import keep_alive_s
from corral_api.media import from_base64

if TYPE_CHECKING:
    from corral.conversation import Format, Think
    from corral_api.ollama.schema import ChatRequest, GenerateRequest, MessageIn, ToolCallIn

_LEVELS = ("high", "medium", "low", "max")


def chat(body: ChatRequest, request_id: str) -> Request:
    """Return the request that a body of /api/chat makes."""
    conversation = Conversation(
        messages=tuple(message(turn) for turn in body.messages),
        tools=tuple(json_object(tool) for tool in body.tools),
        think=think(body.think),
        format=answer_format(body.format),
        options=json_object(body.options),
    )
    return Request(
        model=model_name(body.model, "model is required"),
        conversation=conversation,
        keep_alive_s=keep_alive_s(body.keep_alive),
        truncate=body.truncate,
        shift=body.shift,
        logprobs=logprobs(body.logprobs, body.top_logprobs),
        id=request_id,
    )


def generate(body: GenerateRequest, request_id: str) -> Request:
    """Return the request that a body of /api/generate makes."""
    if body.raw and (body.template or body.system or body.context):
        raise InvalidInput("raw mode does not support template, system, or context")
    if body.raw and (body.suffix or body.images):
        raise InvalidInput("raw mode does not support suffix or images")
    conversation = Conversation(
        messages=_generate_messages(body),
        think=think(body.think),
        format=answer_format(body.format),
        options=json_object(body.options),
        template=body.template,
    )
    return Request(
        model=body.model,
        conversation=conversation,
        raw=body.prompt if body.raw else None,
        suffix=body.suffix,
        keep_alive_s=keep_alive_s(body.keep_alive),
        truncate=body.truncate,
        shift=body.shift,
        logprobs=logprobs(body.logprobs, body.top_logprobs),
        # A client that sends no context still gets one back, as Ollama's do; raw answers have none.
        context=None if body.raw else tuple(body.context or ()),
        id=request_id,
    )


def _generate_messages(body: GenerateRequest) -> tuple[Message, ...]:
    system = (Message(role="system", content=body.system),) if body.system else ()
    images = tuple(from_base64(image) for image in body.images)
    return (*system, Message(role="user", content=body.prompt, images=images))


def message(turn: MessageIn) -> Message:
    """Return a turn as the engine knows it."""
    return Message(
        role=turn.role.lower(),
        content=turn.content,
        thinking=turn.thinking,
        images=tuple(from_base64(image) for image in turn.images),
        tool_calls=tuple(_call(call) for call in turn.tool_calls),
        tool_name=turn.tool_name,
        tool_call_id=turn.tool_call_id,
    )


def _call(call: ToolCallIn) -> ToolCall:
    return ToolCall(name=call.function.name, arguments=arguments_of(call.function.arguments), id=call.id)


def ignored_options(options: dict[str, object]) -> tuple[str, ...]:
    """Return the options that mean nothing here; raise InvalidOption for wrong types, before a model is loaded for them."""
    return tuple(f"options.{name}" for name in merge(json_object(options)).ignored)


def model_name(name: str, missing: str) -> str:
    """Return a model's name without blanks around it; raise InvalidInput when none is left."""
    stripped = name.strip()
    if not stripped:
        raise InvalidInput(missing)
    return stripped


def logprobs(wanted: bool, top: int) -> int | None:
    """Return how many alternatives to report for each token; None for no probabilities at all."""
    if not 0 <= top <= 20:
        raise InvalidInput("top_logprobs must be between 0 and 20")
    return top if wanted else None


def think(value: object) -> Think:
    """Return a think value as the formats know it."""
    choices = 'must be "high", "medium", "low", "max", true, or false'
    if value is None or isinstance(value, bool):
        return value
    if not isinstance(value, str):
        raise InvalidInput('think must be a boolean or string ("high", "medium", "low", "max", true, or false)')
    if value not in _LEVELS:
        raise InvalidInput(f'invalid think value: "{value}" ({choices})')
    return value


def answer_format(value: str | dict[str, object] | None) -> Format:
    """Return a format; empty text is none."""
    match value:
        case None | "":
            return None
        case "json":
            return "json"
        case str():
            raise InvalidInput(f'invalid format: "{value}"; expected "json" or a valid JSON Schema object')
        case _:
            return json_object(value)
