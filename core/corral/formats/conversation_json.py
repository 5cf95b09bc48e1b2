"""Read a conversation from JSON in the message shape of Ollama, with OpenAI's string arguments and content parts accepted.

Whatever is wrong is named by its path: `messages[2].tool_calls[0].function.arguments`.
"""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, NoReturn

from corral.conversation import Conversation, Message, NamedTool, ToolCall
from corral.errors import InvalidInput
from corral.formats.strict_json import load_object

if TYPE_CHECKING:
    from corral.conversation import Format, Json, JsonObject, Think, ToolChoice


def conversation_from_json(data: Json) -> Conversation:
    """Return the conversation; raises InvalidInput with the path of what is wrong."""
    body = _object(data, "the conversation")
    messages = _list(body.get("messages"), "messages")
    return Conversation(
        messages=tuple(_message(message, f"messages[{index}]") for index, message in enumerate(messages)),
        tools=tools_from_json(body.get("tools")),
        tool_choice=_tool_choice(body.get("tool_choice")),
        parallel_tool_calls=body.get("parallel_tool_calls") is not False,
        think=_think(body.get("think")),
        format=_format(body.get("format")),
        options=_object(body.get("options") or {}, "options"),
        template_arguments=_object(body.get("chat_template_kwargs") or {}, "chat_template_kwargs"),
    )


def tools_from_json(data: Json) -> tuple[JsonObject, ...]:
    """Return a list of tools as the client wrote them, after checking that each has a name and an object of parameters."""
    return tuple(_tool(tool, f"tools[{index}]") for index, tool in enumerate(_list(data or [], "tools")))


def _message(data: Json, path: str) -> Message:
    body = _object(data, path)
    content, images = _content(body.get("content"), f"{path}.content")
    thinking = body.get("thinking") or body.get("reasoning_content") or body.get("reasoning")
    return Message(
        role=_text(body.get("role"), f"{path}.role").lower() or _fail(f"{path}.role", "must not be empty"),
        content=content,
        thinking=_text(thinking, f"{path}.thinking"),
        images=images
        + tuple(_image(image, f"{path}.images[{index}]") for index, image in enumerate(_list(body.get("images"), f"{path}.images"))),
        tool_calls=_tool_calls(body.get("tool_calls"), f"{path}.tool_calls"),
        tool_name=_text(body.get("tool_name") or body.get("name"), f"{path}.tool_name"),
        tool_call_id=_text(body.get("tool_call_id"), f"{path}.tool_call_id"),
    )


def _content(data: Json, path: str) -> tuple[str, tuple[bytes, ...]]:
    """Return the text and the images of a message's content; parts of text are joined by newlines."""
    if not isinstance(data, list):
        return _text(data, path), ()
    texts: list[str] = []
    images: list[bytes] = []
    for index, item in enumerate(data):
        part = _object(item, f"{path}[{index}]")
        match part.get("type"):
            case "text" | "input_text" | "output_text":
                texts.append(_text(part.get("text"), f"{path}[{index}].text"))
            case "image_url":
                images.append(_image_url(part.get("image_url"), f"{path}[{index}].image_url"))
            case other:
                _fail(f"{path}[{index}].type", f"'{other}' is not supported (text, image_url)")
    return "\n".join(texts), tuple(images)


def _image_url(data: Json, path: str) -> bytes:
    url = _text(data.get("url") if isinstance(data, dict) else data, path)
    head, comma, encoded = url.partition(",")
    if not (comma and head.startswith("data:") and head.endswith(";base64")):
        _fail(path, "must be a data: URL in base64")
    return _image(encoded, path)


def _image(data: Json, path: str) -> bytes:
    try:
        return base64.b64decode(_text(data, path), validate=True)
    except binascii.Error as error:
        raise InvalidInput(f"{path}: is not base64") from error


def _tool_calls(data: Json, path: str) -> tuple[ToolCall, ...]:
    return tuple(_tool_call(call, f"{path}[{index}]") for index, call in enumerate(_list(data, path)))


def _tool_call(data: Json, path: str) -> ToolCall:
    body = _object(data, path)
    function = _object(body.get("function", body), f"{path}.function")
    name = _text(function.get("name"), f"{path}.function.name") or _fail(f"{path}.function.name", "must not be empty")
    arguments = _arguments(function.get("arguments"), f"{path}.function.arguments")
    return ToolCall(name=name, arguments=arguments, id=_text(body.get("id"), f"{path}.id"))


def _arguments(data: Json, path: str) -> JsonObject:
    """Return a call's arguments; a string must hold a JSON object, and an empty one holds none."""
    if data is None or data == "":
        return {}
    if isinstance(data, str):
        arguments = load_object(data)
        if arguments is None:
            raise InvalidInput(f"{path}: is a string that holds no JSON object")
        return arguments
    return _object(data, path)


def _tool(data: Json, path: str) -> JsonObject:
    tool = _object(data, path)
    function = _object(tool.get("function", tool), f"{path}.function")
    _text(function.get("name"), f"{path}.function.name") or _fail(f"{path}.function.name", "must not be empty")
    _object(function.get("parameters") or {}, f"{path}.function.parameters")
    return tool


def _tool_choice(data: Json) -> ToolChoice:
    match data:
        case None | "auto":
            return "auto"
        case "none" | "required":
            return "none" if data == "none" else "required"
        case {"function": {"name": str(name)}} | {"name": str(name)}:
            return NamedTool(name=name)
        case _:
            return _fail("tool_choice", "must be auto, none, required, or name a function")


def _think(data: Json) -> Think:
    return data if data is None or isinstance(data, bool | str) else _fail("think", "must be true, false or a level")


def _format(data: Json) -> Format:
    match data:
        case None | "":
            return None
        case "json":
            return "json"
        case dict():
            return data
        case _:
            return _fail("format", 'must be "json" or a JSON Schema')


def _object(data: Json, path: str) -> JsonObject:
    return data if isinstance(data, dict) else _fail(path, "must be an object")


def _list(data: Json, path: str) -> list[Json]:
    return data if isinstance(data, list) else [] if data is None else _fail(path, "must be a list")


def _text(data: Json, path: str) -> str:
    return data if isinstance(data, str) else "" if data is None else _fail(path, "must be a string")


def _fail(path: str, problem: str) -> NoReturn:
    raise InvalidInput(f"{path}: {problem}")
