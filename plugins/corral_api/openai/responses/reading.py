"""What a request for a response asks of the engine."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, cast

from corral.api import Request
from corral.conversation import Conversation, Message, NamedTool, ToolCall
from corral.errors import InvalidInput, Unsupported
from corral.options import merge
from corral_api.arguments import arguments_of, json_object
from corral_api.efforts import think_of_effort
from corral_api.keep_alive import keep_alive_s
from corral_api.media import from_data_url

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from corral.conversation import Format, JsonObject, ToolChoice
    from corral_api.openai.responses.schema import FormatIn, ItemIn, PartIn, ResponsesRequest

_REFUSED = {
    "conversation": "use previous_response_id",
    "prompt": "corral stores no prompts; send instructions and input",
}
_TEXTS = frozenset({"input_text", "output_text", "text", "summary_text"})


def response_request(body: ResponsesRequest, earlier: Sequence[Message], request_id: str, num_ctx: int | None) -> Request:
    """Return the request that a body makes, after what was said earlier."""
    if not body.model.strip():
        raise InvalidInput("model is required")
    if body.background:
        raise Unsupported("'background' is not supported: stream the response instead")
    instructions = (Message(role="system", content=body.instructions),) if body.instructions else ()
    conversation = Conversation(
        messages=(*instructions, *earlier, *messages(body.input)),
        tools=tuple(_tool(tool) for tool in body.tools),
        tool_choice=_tool_choice(body),
        parallel_tool_calls=body.parallel_tool_calls,
        think=think_of_effort(body.reasoning.effort) if body.reasoning else None,
        format=_format(body.text.format) if body.text and body.text.format else None,
        options=_options(body, num_ctx),
    )
    return Request(
        model=body.model.strip(),
        conversation=conversation,
        keep_alive_s=keep_alive_s(body.keep_alive),
        truncate=body.truncation == "auto",
        shift=body.truncation == "auto",
        id=request_id,
    )


def ignored_fields(unknown: tuple[str, ...], body: ResponsesRequest, request: Request) -> tuple[str, ...]:
    """Return what of a body has no effect; raise Unsupported for what would have to have one."""
    for name in unknown:
        if name in _REFUSED:
            raise Unsupported(f"'{name}' is not supported: {_REFUSED[name]}")
    hints = [name for name, given in (("include", body.include), ("user", body.user), ("top_logprobs", body.top_logprobs)) if given]
    return (*unknown, *hints, *(f"options.{name}" for name in merge(request.conversation.options).ignored))


def messages(given: str | Sequence[ItemIn]) -> tuple[Message, ...]:
    """Return the turns that the items of an input are."""
    if isinstance(given, str):
        return (Message(role="user", content=given),) if given else ()
    turns = _Turns({item.call_id: item.name for item in given if item.type == "function_call"})
    for index, item in enumerate(given):
        turns.add(index, item)
    return tuple(turns.messages)


class _Turns:
    """Folds items into turns: reasoning and calls belong to the assistant's turn around them."""

    def __init__(self, names: Mapping[str, str]) -> None:
        self.messages: list[Message] = []
        self._names = names
        self._thinking = ""

    def add(self, index: int, item: ItemIn) -> None:
        """Take the next item."""
        match item.type or ("message" if item.role else ""):
            case "message":
                self._say(item)
            case "function_call":
                self._call(item)
            case "function_call_output":
                self._answer(item)
            case "reasoning":
                self._thinking = "\n".join(part.text for part in item.summary) or item.encrypted_content
            case "":
                raise InvalidInput(f"input[{index}]: input item missing required 'type' field")
            case other:
                raise Unsupported(f'input[{index}]: unknown input item type: "{other}"')

    def _say(self, item: ItemIn) -> None:
        parts = item.content if isinstance(item.content, list) else []
        text = item.content if isinstance(item.content, str) else _text(parts)
        role = "system" if item.role == "developer" else item.role
        images = _images(parts)
        self._push(Message(role=role, content=text, images=images, thinking=self._take_thinking() if role == "assistant" else ""))

    def _call(self, item: ItemIn) -> None:
        call = ToolCall(name=item.name, arguments=arguments_of(item.arguments), id=item.call_id)
        last = self.messages[-1] if self.messages else None
        if last is not None and last.role == "assistant" and not self._thinking:
            self.messages[-1] = replace(last, tool_calls=(*last.tool_calls, call))
        else:
            self._push(Message(role="assistant", thinking=self._take_thinking(), tool_calls=(call,)))

    def _answer(self, item: ItemIn) -> None:
        parts = item.output if isinstance(item.output, list) else []
        text = item.output if isinstance(item.output, str) else _text(parts)
        name = self._names.get(item.call_id, "")
        self._push(Message(role="tool", content=text, images=_images(parts), tool_name=name, tool_call_id=item.call_id))

    def _push(self, message: Message) -> None:
        self.messages.append(message)

    def _take_thinking(self) -> str:
        thinking, self._thinking = self._thinking, ""
        return thinking


def _text(parts: Iterable[PartIn]) -> str:
    return "\n".join(part.refusal if part.type == "refusal" else part.text for part in parts if _is_text(part))


def _is_text(part: PartIn) -> bool:
    if part.type in {*_TEXTS, "refusal"}:
        return True
    if part.type == "input_image":
        return False
    raise Unsupported(f"content of type '{part.type}' is not supported; send input_text or input_image")


def _images(parts: Iterable[PartIn]) -> tuple[bytes, ...]:
    return tuple(from_data_url(part.image_url) for part in parts if part.type == "input_image")


def _tool(tool: dict[str, object]) -> JsonObject:
    if tool.get("type") != "function":
        raise Unsupported(f"tools of type '{tool.get('type')}' run on OpenAI's servers; corral offers functions only")
    return json_object({"type": "function", "function": {key: value for key, value in tool.items() if key not in ("type", "strict")}})


def _tool_choice(body: ResponsesRequest) -> ToolChoice:
    choice = body.tool_choice
    if isinstance(choice, str):
        return choice
    if choice.type != "function":
        raise Unsupported("tool_choice must be none, auto, required or a function of the request's tools")
    return NamedTool(name=choice.name)


def _format(wanted: FormatIn) -> Format:
    match wanted.type:
        case "text":
            return None
        case "json_object":
            return "json"
        case "json_schema" if wanted.schema is not None:
            return json_object(wanted.schema)
        case _:
            raise InvalidInput(f"text.format: type '{wanted.type}' is unknown or lacks its schema")


def _options(body: ResponsesRequest, num_ctx: int | None) -> JsonObject:
    if body.max_output_tokens is not None and body.max_output_tokens < 1:
        raise InvalidInput(f"max_output_tokens must be at least 1, not {body.max_output_tokens}")
    named: dict[str, object] = {
        "num_ctx": num_ctx,
        "num_predict": body.max_output_tokens,
        "temperature": body.temperature,
        "top_p": body.top_p,
    }
    return cast("JsonObject", {**body.options, **{name: value for name, value in named.items() if value is not None}})
