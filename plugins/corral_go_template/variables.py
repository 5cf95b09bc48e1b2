"""Show a conversation as Ollama's Go templates expect it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import groupby
from typing import TYPE_CHECKING, Final

from corral_go_template.values import Record, Value, Written

if TYPE_CHECKING:
    from collections.abc import Sequence

    from corral.conversation import Conversation, Json, JsonObject, Message, Think, ToolCall

#: Roles whose names templates may print into their tags.
ROLES: Final = frozenset({"system", "user", "assistant", "tool"})
#: Keys of a tool under which names are the client's own, not those of a struct.
MAPS: Final = frozenset({"properties", "$defs", "arguments"})
#: Fields of Ollama's structs whose JSON key is not the same word in lower case.
JSON_KEYS: Final = {"$defs": "Defs", "anyOf": "AnyOf"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """What a template without `.Messages` is run with, once per exchange."""

    system: str = ""
    prompt: str = ""
    response: str = ""


def collate(messages: Sequence[Message]) -> list[Message]:
    """Join neighbours of the same role with a blank line, except tools' answers."""
    joined: list[Message] = []
    for role, neighbours in groupby(messages, key=lambda message: message.role):
        group = [*neighbours]
        joined += group if role == "tool" else [_join(group)]
    return joined


def _join(messages: list[Message]) -> Message:
    content = "\n\n".join(message.content for message in messages if message.content)
    thinking = "\n\n".join(message.thinking for message in messages if message.thinking)
    calls = tuple(call for message in messages for call in message.tool_calls)
    return replace(messages[0], content=content, thinking=thinking, tool_calls=calls)


def system_text(messages: Sequence[Message]) -> str:
    """Return all system messages, a blank line between them."""
    return "\n\n".join(message.content for message in messages if message.role == "system" and message.content)


def turns(messages: Sequence[Message]) -> list[Turn]:
    """Cut a conversation into exchanges for templates without `.Messages`; the last one is open."""
    made = [Turn()]
    for message in messages:
        last = made[-1]
        match message.role:
            case "system":
                made += [Turn()] if last.prompt or last.response else []
                made[-1] = replace(made[-1], system=message.content)
            case "user":
                made += [Turn()] if last.response else []
                made[-1] = replace(made[-1], prompt=message.content)
            case "assistant":
                made[-1] = replace(last, response=message.content)
    return made


def chat_data(conversation: Conversation, messages: Sequence[Message]) -> Value:
    """Return the data of a template that walks over `.Messages`."""
    tools = conversation.tools if conversation.tool_choice != "none" else ()
    return {
        "System": system_text(messages),
        "Messages": [_message(message) for message in collate(messages)],
        "Tools": [tool_view(tool) for tool in tools],
        "Response": "",
        **think_data(conversation.think),
    }


def turn_data(turn: Turn, think: Think) -> Value:
    """Return the data of one exchange."""
    return {"System": turn.system, "Prompt": turn.prompt, "Response": turn.response, **think_data(think)}


def infill_data(prompt: str, suffix: str, think: Think) -> Value:
    """Return the data for text that goes between two others."""
    return {"Prompt": prompt, "Suffix": suffix, "Response": "", **think_data(think)}


def think_data(think: Think) -> dict[str, Value]:
    """Return what a template reads about thinking; a level is also a yes."""
    level = think if isinstance(think, str) else ""
    return {"Think": bool(think), "ThinkLevel": level, "IsThinkSet": think is not None}


def _message(message: Message) -> Record:
    role = Written(message.role) if message.role in ROLES else message.role
    fields: dict[str, Value] = {
        "Role": role,
        "Content": message.content,
        "Thinking": message.thinking,
        "Images": ["" for _ in message.images],
        "ToolCalls": [_call(index, call) for index, call in enumerate(message.tool_calls)],
        "ToolName": message.tool_name,
        "ToolCallID": message.tool_call_id,
    }
    return Record(kind="message", fields=fields, shown={"role": message.role, "content": message.content})


def _call(index: int, call: ToolCall) -> Record:
    arguments = Record(kind="arguments", fields=_map(call.arguments), shown=call.arguments)
    function: JsonObject = {"index": index, "name": call.name, "arguments": call.arguments}
    inner = Record(kind="call", fields={"Index": index, "Name": call.name, "Arguments": arguments}, shown=function)
    return Record(kind="tool call", fields={"ID": call.id, "Function": inner}, shown={"id": call.id, "function": function})


def tool_view(value: Json, key: str = "") -> Value:
    """Return a client's tool with its keys under the names of Ollama's structs; it prints as the client wrote it."""
    match value:
        case dict() if key in MAPS:
            return _map(value)
        case dict():
            fields = {JSON_KEYS.get(name, name[:1].upper() + name[1:]): tool_view(item, name) for name, item in value.items()}
            return Record(kind="tool", fields=fields, shown=value, zero="", is_open=True)
        case list():
            return [tool_view(item) for item in value]
        case _:
            return value


def _map(value: JsonObject) -> dict[str, Value]:
    return {name: tool_view(item) for name, item in value.items()}
