"""What messages and tools in OpenAI's form say to a model."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from corral.conversation import Message, NamedTool, ToolCall
from corral.errors import InvalidInput, Unsupported
from corral_api.arguments import arguments_of
from corral_api.media import from_data_url
from corral_api.openai.schema import ToolChoiceIn

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from corral.conversation import Format, JsonObject, ToolChoice
    from corral_api.openai.schema import MessageIn, Part, ResponseFormat, ToolCallIn


def messages(turns: Sequence[MessageIn]) -> tuple[Message, ...]:
    """Return the turns as the engine knows them."""
    if not turns:
        raise InvalidInput("[] is too short - 'messages'")
    names = {call.id: call.function.name for turn in turns for call in turn.tool_calls}
    return tuple(_message(turn, names) for turn in turns)


def _message(turn: MessageIn, names: Mapping[str, str]) -> Message:
    if turn.content is None and not (turn.tool_calls or turn.refusal) and turn.role != "assistant":
        raise InvalidInput("invalid message content type: <nil>")
    parts = turn.content if isinstance(turn.content, list) else []
    text = turn.content if isinstance(turn.content, str) else joined_text(parts)
    return Message(
        # OpenAI's newer name of system; no template knows it.
        role="system" if turn.role == "developer" else turn.role,
        content=text or turn.refusal,
        thinking=turn.reasoning_content or turn.reasoning,
        images=tuple(_image(part) for part in parts if part.type == "image_url"),
        tool_calls=tuple(_call(call) for call in turn.tool_calls),
        tool_name=(turn.name or names.get(turn.tool_call_id, "")) if turn.role == "tool" else "",
        tool_call_id=turn.tool_call_id,
    )


def _call(call: ToolCallIn) -> ToolCall:
    return ToolCall(name=call.function.name, arguments=arguments_of(call.function.arguments), id=call.id)


def joined_text(parts: Iterable[Part]) -> str:
    """Return the text of parts as one, each on its own line; templates want one message per turn."""
    return "\n".join(_part_text(part) for part in parts if part.type != "image_url")


def _part_text(part: Part) -> str:
    match part.type:
        case "text" | "input_text" | "output_text":
            return part.text
        case "refusal":
            return part.refusal
        case "input_audio" | "file":
            raise Unsupported(f"content parts of type '{part.type}' are not supported; send text or images")
        case _:
            raise InvalidInput(f"unknown content part type '{part.type}'")


def _image(part: Part) -> bytes:
    match part.image_url:
        case None:
            raise InvalidInput("a content part of type 'image_url' has no image_url")
        case str():
            return from_data_url(part.image_url)
        case _:
            return from_data_url(part.image_url.url)


def tool_choice(choice: str | ToolChoiceIn | None) -> ToolChoice:
    """Return which calls are wanted."""
    match choice:
        case None | "auto":
            return "auto"
        case "none":
            return "none"
        case "required":
            return "required"
        case ToolChoiceIn(type="function", function=function) if function is not None:
            return NamedTool(name=function.name)
        case _:
            raise Unsupported("tool_choice must be none, auto, required or a function of the request's tools")


def answer_format(wanted: ResponseFormat | None) -> Format:
    """Return how the answer is structured."""
    match wanted.type if wanted else "text":
        case "text":
            return None
        case "json_object":
            return "json"
        case "json_schema":
            return _schema(wanted)
        case other:
            raise InvalidInput(f"response_format: unknown type '{other}' (text, json_object or json_schema)")


def _schema(wanted: ResponseFormat | None) -> JsonObject:
    schema = wanted.json_schema.schema if wanted and wanted.json_schema else None
    if schema is None:
        raise InvalidInput("response_format: type json_schema needs json_schema.schema")
    return cast("JsonObject", schema)
