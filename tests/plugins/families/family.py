"""What the tests know about a family: each `cases_*` module here lists its values in `CASES`, and the tests take all of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from corral.conversation import Conversation, Json, JsonObject, Message, Think, ToolCall
from corral.events import CallStatus

if TYPE_CHECKING:
    from collections.abc import Callable

Kind = TypeVar("Kind")

OK = CallStatus.OK
CUT = CallStatus.TRUNCATED


@dataclass(frozen=True, slots=True, kw_only=True)
class Holds:
    """What the drawn conversations of a reference may hold; leave out what the reference refuses."""

    system: bool = True
    later_system: bool = False
    tools: bool = True
    calls: bool = True
    results: bool = True
    thinking: bool = True
    #: Content next to calls.
    content_with_calls: bool = True
    parallel: bool = True
    #: Users and assistants take turns, and results follow calls, as strict templates demand.
    alternates: bool = False
    think: tuple[Think, ...] = (None, True, False)
    #: Description and type of every parameter, for templates that fail without them.
    plain_tools: bool = False
    #: What ids of calls begin with; some templates demand ids of a certain length.
    ids: str = "call_"
    #: Variables that clients may set, one object per conversation.
    arguments: tuple[JsonObject, ...] = ({},)


def thinking_variables(conversation: Conversation) -> JsonObject:
    """Return the variables by which most templates learn whether to think, as the chat-template renderer sets them."""
    match conversation.think:
        case None:
            return {}
        case bool(think):
            return {"enable_thinking": think, "thinking": think}
        case level:
            return {"enable_thinking": True, "thinking": True, "reasoning_effort": level}


def describe(message: Message) -> JsonObject:
    """Return a message in the shape that templates read, reasoning under both of its usual names."""
    shown: JsonObject = {"role": message.role, "content": message.content}
    if message.thinking:
        shown |= {"reasoning_content": message.thinking, "thinking": message.thinking}
    if message.tool_calls:
        shown["tool_calls"] = [_describe_call(call) for call in message.tool_calls]
    if message.tool_name:
        shown["name"] = message.tool_name
    if message.tool_call_id:
        shown["tool_call_id"] = message.tool_call_id
    return shown


def _describe_call(call: ToolCall) -> Json:
    identity: JsonObject = {"id": call.id} if call.id else {}
    return {**identity, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}


def unchanged(text: str) -> str:
    """Return the text."""
    return text


def never(conversation: Conversation) -> bool:
    """Excuse no conversation."""
    return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """A renderer, and the reference template whose text it writes for every drawn conversation."""

    renderer: str
    template: str
    holds: Holds = Holds()
    variables: Callable[[Conversation], JsonObject] = thinking_variables
    describe: Callable[[Message], JsonObject] = describe
    #: Changes the template's source, where our text differs on purpose.
    edit: Callable[[str], str] = unchanged
    #: Conversations for which our text differs on purpose; `differs` says why.
    excuse: Callable[[Conversation], bool] = never
    differs: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A conversation and the whole prompt that a renderer gives for it; `suffix` is what its answer continues."""

    renderer: str
    case: str
    conversation: Conversation
    text: str
    suffix: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """An answer, what a parser reads in it, and the prompt's suffix before it. The tools are those of `answers.TOOLS`."""

    parser: str
    text: str
    suffix: str = ""
    content: str = ""
    thinking: str = ""
    calls: tuple[tuple[str, JsonObject, CallStatus], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundTrip:
    """A renderer and a parser that read each other's turns; `holds` says what the turns may hold."""

    renderer: str
    parser: str
    holds: Holds = Holds()
    #: How the request of the turn was to be thought about.
    think: Think = None
    #: Texts that a turn of this format can't hold, because they are its own tags.
    reserved: tuple[str, ...] = field(default=("<", "\\"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Forced:
    """A call that a parser's grammar must allow when a call of `stop` or `get_weather` is required, and one it must not."""

    parser: str
    accepted: tuple[str, ...]
    refused: tuple[str, ...]
    suffix: str = ""
    think: Think = None


def collect(kind: type[Kind]) -> list[Kind]:
    """Return the cases of one kind, of all families."""
    modules = [import_module(path.stem) for path in sorted(Path(__file__).parent.glob("cases_*.py"))]
    return [case for module in modules for case in module.CASES if isinstance(case, kind)]


def user(content: str = "Hi") -> Message:
    """Return a user's turn."""
    return Message(role="user", content=content)


def system(content: str = "Be kind") -> Message:
    """Return a system message."""
    return Message(role="system", content=content)


def assistant(content: str = "", *calls: ToolCall, thinking: str = "") -> Message:
    """Return an assistant's turn."""
    return Message(role="assistant", content=content, thinking=thinking, tool_calls=calls)


def result(content: str = "rain", name: str = "get_weather") -> Message:
    """Return a tool's answer."""
    return Message(role="tool", content=content, tool_name=name)


def call(name: str = "get_weather", **arguments: Json) -> ToolCall:
    """Return a call."""
    return ToolCall(name=name, arguments=arguments)


def talk(*messages: Message, tools: tuple[JsonObject, ...] = (), think: Think = None, **arguments: Json) -> Conversation:
    """Return a conversation; what else is named are arguments of the template."""
    return Conversation(messages=messages, tools=tools, think=think, template_arguments=arguments)
