"""What a request in Anthropic's form asks of the engine."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from corral.api import Request
from corral.conversation import Conversation, Message, NamedTool, ToolCall
from corral.errors import InvalidInput, Unsupported
from corral.options import merge
from corral_api.arguments import json_object
from corral_api.efforts import think_of_effort
from corral_api.keep_alive import keep_alive_s
from corral_api.media import from_base64

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from corral.conversation import Format, JsonObject, Think, ToolChoice
    from corral_api.anthropic.schema import (
        Block,
        InnerBlock,
        MessageIn,
        MessagesRequest,
        OutputFormat,
        Source,
        TokensRequest,
        ToolChoiceIn,
        ToolIn,
    )

_REFUSED = {
    "mcp_servers": "corral calls no servers of tools",
    "container": "corral runs no code",
}

#: Blocks of a history that say nothing to a local model; they are reported, not refused.
_SKIPPED = frozenset({"redacted_thinking", "server_tool_use", "web_search_tool_result", "tool_reference"})


def messages_request(body: MessagesRequest, request_id: str, num_ctx: int | None) -> Request:
    """Return the request that a body of /v1/messages makes."""
    if body.max_tokens is None:
        raise InvalidInput("max_tokens: field required")
    if body.max_tokens < 1:
        raise InvalidInput("max_tokens is required and must be positive")
    return Request(
        model=_model(body),
        conversation=_conversation(body, _options(body, num_ctx)),
        keep_alive_s=keep_alive_s(body.keep_alive),
        truncate=body.truncate,
        shift=body.truncate,
        id=request_id,
    )


def tokens_request(body: TokensRequest, request_id: str, num_ctx: int | None) -> Request:
    """Return the request whose prompt count_tokens counts."""
    options = json_object({**body.options, **({"num_ctx": num_ctx} if num_ctx is not None else {})})
    return Request(model=_model(body), conversation=_conversation(body, options), id=request_id)


def ignored_fields(unknown: tuple[str, ...], body: TokensRequest, request: Request) -> tuple[str, ...]:
    """Return what of a body has no effect; raise Unsupported for what would have to have one."""
    for name in unknown:
        if name in _REFUSED:
            raise Unsupported(f"'{name}' is not supported: {_REFUSED[name]}")
    budget = ("thinking.budget_tokens",) if body.thinking and body.thinking.budget_tokens else ()
    skipped = {block.type for turn in body.messages for block in _blocks(turn) if block.type in _SKIPPED}
    return (*unknown, *budget, *sorted(skipped), *(f"options.{name}" for name in merge(request.conversation.options).ignored))


def _model(body: TokensRequest) -> str:
    name = body.model.strip()
    if not name:
        raise InvalidInput("model is required")
    if not body.messages:
        raise InvalidInput("messages is required")
    return name


def _conversation(body: TokensRequest, options: JsonObject) -> Conversation:
    names = {block.id: block.name for turn in body.messages for block in _blocks(turn) if block.type == "tool_use"}
    system = body.system if isinstance(body.system, str) else "\n".join(block.text for block in body.system)
    turns = [message for turn in body.messages for message in _messages(turn, names)]
    return Conversation(
        messages=(*((Message(role="system", content=system),) if system else ()), *turns),
        tools=tuple(_tool(tool) for tool in body.tools),
        tool_choice=_tool_choice(body.tool_choice),
        parallel_tool_calls=not (body.tool_choice and body.tool_choice.disable_parallel_tool_use),
        think=_think(body),
        format=_format(body.output_format or (body.output_config.format if body.output_config else None)),
        options=options,
    )


def _blocks(turn: MessageIn) -> Sequence[Block]:
    return [] if isinstance(turn.content, str) else turn.content


def _messages(turn: MessageIn, names: Mapping[str, str]) -> Iterator[Message]:
    """Yield the turns that one turn of Anthropic's is: the results of tools first, then what was said."""
    if isinstance(turn.content, str):
        yield Message(role=turn.role, content=turn.content)
        return
    results = [block for block in turn.content if block.type == "tool_result"]
    for block in results:
        yield _result(block, names)
    said = [block for block in turn.content if block.type != "tool_result"]
    if said or not results:
        yield _said(turn.role, said)


def _result(block: Block, names: Mapping[str, str]) -> Message:
    inner = [] if isinstance(block.content, str) else block.content
    text = block.content if isinstance(block.content, str) else "\n".join(part.text for part in inner if part.type == "text")
    return Message(
        role="tool",
        content=text,
        images=tuple(_image(part.source) for part in inner if part.type == "image"),
        tool_name=names.get(block.tool_use_id, ""),
        tool_call_id=block.tool_use_id,
    )


def _said(role: str, blocks: Sequence[Block]) -> Message:
    for block in blocks:
        _check_known(block)
    return Message(
        role=role,
        content="\n".join(block.text for block in blocks if block.type == "text"),
        thinking="\n".join(block.thinking for block in blocks if block.type == "thinking"),
        images=tuple(_image(block.source) for block in blocks if block.type == "image"),
        tool_calls=tuple(_call(block) for block in blocks if block.type == "tool_use"),
    )


def _check_known(block: Block | InnerBlock) -> None:
    if block.type not in {"text", "image", "tool_use", "thinking", *_SKIPPED}:
        raise Unsupported(f"content blocks of type '{block.type}' are not supported; send text or images")


def _call(block: Block) -> ToolCall:
    for key in ("id", "name"):
        if not getattr(block, key):
            raise InvalidInput(f"tool_use block missing required '{key}' field")
    return ToolCall(name=block.name, arguments=json_object(block.input), id=block.id)


def _image(source: Source | None) -> bytes:
    kind = source.type if source else ""
    if source is None or kind != "base64":
        raise InvalidInput(f"invalid image source type: {kind}. Only base64 images are supported.")
    return from_base64(source.data)


def _tool(tool: ToolIn) -> JsonObject:
    if tool.type != "custom":
        raise Unsupported(f"tools of type '{tool.type}' run on Anthropic's servers; corral offers custom tools only")
    function = {"name": tool.name, "description": tool.description, "parameters": tool.input_schema}
    return json_object({"type": "function", "function": {key: value for key, value in function.items() if value}})


def _tool_choice(choice: ToolChoiceIn | None) -> ToolChoice:
    match choice.type if choice else "auto":
        case "any":
            return "required"
        case "none":
            return "none"
        case "tool":
            return NamedTool(name=choice.name if choice else "")
        case _:
            return "auto"


def _think(body: TokensRequest) -> Think:
    kind = body.thinking.type if body.thinking else ""
    if kind == "disabled":
        return False
    effort = think_of_effort(body.output_config.effort) if body.output_config else None
    return effort if effort is not None else (True if kind == "enabled" else None)


def _format(wanted: OutputFormat | None) -> Format:
    if wanted is None:
        return None
    if wanted.type != "json_schema" or wanted.schema is None:
        raise InvalidInput("output_format: expected type json_schema with a schema")
    return json_object(wanted.schema)


def _options(body: MessagesRequest, num_ctx: int | None) -> JsonObject:
    named: dict[str, object] = {
        "num_ctx": num_ctx,
        "num_predict": body.max_tokens,
        "temperature": body.temperature,
        "top_p": body.top_p,
        "top_k": body.top_k,
        "stop": body.stop_sequences or None,
    }
    return cast("JsonObject", {**body.options, **{name: value for name, value in named.items() if value is not None}})
