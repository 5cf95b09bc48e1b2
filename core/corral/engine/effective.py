"""What a request means for a model: merged options, the whole conversation, and refusals of what the model can't do."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from corral.conversation import Conversation, Message, NamedTool
from corral.errors import InvalidInput, Unsupported
from corral.options import Options, merge
from corral.spec import Choice, Origin

if TYPE_CHECKING:
    from corral.api import Request
    from corral.conversation import JsonObject, Think
    from corral.settings import Settings
    from corral.spec import ModelSpec, ParserSupport

#: The renderer of a TEMPLATE that a request brings along.
_TEMPLATE_RENDERER = Choice(name="go-template", origin=Origin.EXPLICIT, reason="the request's own template")


def check_writes(model: ModelSpec) -> None:
    """Raise Unsupported for a model that writes no text."""
    if model.facts.is_embedding:
        raise Unsupported(f'"{model.name}" does not support chat or generate; it {_use(model)}')


def check_embeds(model: ModelSpec) -> None:
    """Raise Unsupported for a model that gives no vectors. One that writes text does give some."""
    if model.facts.is_reranker:
        raise Unsupported(f'"{model.name}" does not support embed; it {_use(model)}')


def check_ranks(model: ModelSpec) -> None:
    """Raise Unsupported for a model without a head that ranks."""
    if not model.facts.is_reranker:
        raise Unsupported(f'"{model.name}" does not support rerank; it {_use(model)}')


def _use(model: ModelSpec) -> str:
    if model.facts.is_reranker:
        return "ranks documents"
    return "makes embeddings" if model.facts.is_embedding else "writes text"


def effective_options(settings: Settings, model: ModelSpec, options: JsonObject) -> Options:
    """Merge settings, the model's PARAMETERs and a request's options, the strongest last."""
    return merge(_from_settings(settings), model.parameters, options)


def _from_settings(settings: Settings) -> JsonObject:
    return {
        "num_ctx": settings.context_length or None,
        "num_parallel": settings.num_parallel or None,
        "cache_type_k": settings.kv_cache_type,
        "cache_type_v": settings.kv_cache_type,
        "flash_attention": settings.flash_attention,
    }


def effective_model(model: ModelSpec, request: Request, options: Options) -> ModelSpec:
    """Return the model as this request wants it loaded and rendered."""
    loaded = replace(model, load=options.load)
    template = request.conversation.template
    if template:
        return replace(loaded, renderer=_TEMPLATE_RENDERER, template=template)
    return loaded


def effective_conversation(model: ModelSpec, support: ParserSupport, request: Request) -> Conversation:
    """Add what the model brings along to what the request says; raise Unsupported for what the model can't do."""
    conversation = request.conversation
    _check_tools(model, support, conversation)
    if request.suffix and ".Suffix" not in model.template:
        raise Unsupported(f'"{model.name}" does not support insert')
    return replace(
        conversation,
        messages=_with_model_messages(model, request),
        think=_effective_think(model, support, conversation.think),
        tools=() if conversation.tool_choice == "none" else conversation.tools,
        suffix=request.suffix,
    )


def _with_model_messages(model: ModelSpec, request: Request) -> tuple[Message, ...]:
    own = request.conversation.messages
    canned = () if request.context is not None else model.messages
    if model.system and not (own and own[0].role == "system"):
        canned = (Message(role="system", content=model.system), *canned)
    if canned and own and own[0].role == "system":
        # The request's system message replaces the model's and still comes before the canned turns.
        return (own[0], *canned, *own[1:])
    return (*canned, *own)


def _effective_think(model: ModelSpec, support: ParserSupport, think: Think) -> Think:
    if support.thinking == "none":
        if think:
            raise Unsupported(f'"{model.name}" does not support thinking')
        return think
    return True if think is None else think


def _check_tools(model: ModelSpec, support: ParserSupport, conversation: Conversation) -> None:
    if conversation.tools and not support.tools:
        raise Unsupported(f'"{model.name}" does not support tools')
    forced = conversation.tool_choice not in ("auto", "none")
    if forced and not conversation.tools:
        raise InvalidInput("tool_choice asks for a call but there are no tools")
    if forced and not support.constrains:
        raise Unsupported(f"parser '{model.parser.name}' can't force tool calls; leave tool_choice at auto")
    if isinstance(conversation.tool_choice, NamedTool):
        _check_named(conversation.tool_choice.name, conversation)


def _check_named(name: str, conversation: Conversation) -> None:
    names = [tool_name(tool) for tool in conversation.tools]
    if name not in names:
        raise InvalidInput(f"tool_choice names '{name}', which is not among the tools: {', '.join(names)}")


def tool_name(tool: JsonObject) -> str:
    """Return the function name of a client's tool object; empty when it has none."""
    function = tool.get("function")
    name = function.get("name") if isinstance(function, dict) else None
    return name if isinstance(name, str) else ""
