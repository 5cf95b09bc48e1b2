"""What a request in OpenAI's form asks of the engine."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, cast

from corral.api import Request
from corral.conversation import Conversation, Message
from corral.errors import InvalidInput, Unsupported
from corral.options import merge
from corral_api.efforts import think_of_effort
from corral_api.keep_alive import keep_alive_s
from corral_api.openai.conversing import answer_format, messages, tool_choice

if TYPE_CHECKING:
    from corral.conversation import JsonObject
    from corral_api.openai.schema import ChatRequest, CompletionRequest, SamplingIn

#: Fields that would change the answer if they worked; leaving them out silently would be a lie.
_REFUSED = {
    "audio": "corral answers in text only",
    "functions": "use tools instead",
    "function_call": "use tool_choice instead",
    "web_search_options": "corral does not search the web",
}

#: More answers to one question than this are refused; each takes a slot of the model.
MOST_CHOICES = 16


def chat(body: ChatRequest, request_id: str, num_ctx: int | None) -> Request:
    """Return the request that a body of /v1/chat/completions makes."""
    effort = (body.reasoning.effort if body.reasoning else "") or body.reasoning_effort
    most = body.max_completion_tokens if body.max_completion_tokens is not None else body.max_tokens
    conversation = Conversation(
        messages=messages(body.messages),
        tools=tuple(cast("JsonObject", tool) for tool in body.tools),
        tool_choice=tool_choice(body.tool_choice),
        parallel_tool_calls=body.parallel_tool_calls,
        think=think_of_effort(effort),
        format=answer_format(body.response_format),
        options=options(body, most, num_ctx),
        template_arguments=cast("JsonObject", body.chat_template_kwargs),
    )
    return _request(body, conversation, request_id, logprobs=_chat_logprobs(body))


def completion(body: CompletionRequest, prompt: str, request_id: str, num_ctx: int | None) -> Request:
    """Return the request that one prompt of /v1/completions makes; it goes through the chat template, as Ollama's does."""
    conversation = Conversation(
        messages=(Message(role="user", content=prompt),),
        options=options(body, body.max_tokens, num_ctx),
    )
    if body.logprobs is not None and not 0 <= body.logprobs <= 20:
        raise InvalidInput("logprobs must be between 0 and 20")
    return replace(_request(body, conversation, request_id, logprobs=body.logprobs), suffix=body.suffix)


def prompts(body: CompletionRequest) -> list[str]:
    """Return the prompts of a completion request."""
    if body.best_of != 1:
        raise Unsupported("'best_of' is not supported: ask for n completions and choose")
    given = [body.prompt] if isinstance(body.prompt, str) else body.prompt
    texts = [prompt for prompt in given if isinstance(prompt, str)]
    if len(texts) != len(given) or not texts:
        raise Unsupported("prompt must be a string or an array of strings; tokens are not taken")
    if len(texts) * body.n > MOST_CHOICES:
        raise InvalidInput(f"at most {MOST_CHOICES} completions at once")
    return texts


def choices(request: Request, n: int) -> list[Request]:
    """Return one request per choice; with a seed, each choice has its own."""
    if not 1 <= n <= MOST_CHOICES:
        raise InvalidInput(f"n must be between 1 and {MOST_CHOICES}, not {n}")
    return [_with_seed(request, index) for index in range(n)]


def _with_seed(request: Request, index: int) -> Request:
    seed = request.conversation.options.get("seed")
    if not index or not isinstance(seed, int):
        return request
    varied = {**request.conversation.options, "seed": seed + index}
    return replace(request, conversation=replace(request.conversation, options=varied))


def ignored_fields(unknown: tuple[str, ...], request: Request) -> tuple[str, ...]:
    """Return what of a body has no effect; raise Unsupported for what would have to have one."""
    for name in unknown:
        if name in _REFUSED:
            raise Unsupported(f"'{name}' is not supported: {_REFUSED[name]}")
    # Merging also finds wrong types before a model is loaded for nothing.
    return (*unknown, *(f"options.{name}" for name in merge(request.conversation.options).ignored))


def options(body: SamplingIn, most_tokens: int | None, num_ctx: int | None) -> JsonObject:
    """Return the options a body sets; absent ones stay the model's own, so that its PARAMETERs keep their meaning."""
    if most_tokens is not None and most_tokens < 1:
        raise InvalidInput(f"the largest number of tokens must be at least 1, not {most_tokens}")
    named: dict[str, object] = {
        "num_ctx": num_ctx,
        "num_predict": most_tokens,
        "temperature": body.temperature,
        "top_p": body.top_p,
        "top_k": body.top_k,
        "min_p": body.min_p,
        "repeat_penalty": body.repetition_penalty,
        "frequency_penalty": body.frequency_penalty,
        "presence_penalty": body.presence_penalty,
        "seed": body.seed,
        "stop": body.stop,
        "logit_bias": body.logit_bias,
    }
    return cast("JsonObject", {**body.options, **{name: value for name, value in named.items() if value is not None}})


def _request(body: SamplingIn, conversation: Conversation, request_id: str, *, logprobs: int | None) -> Request:
    if not body.model.strip():
        raise InvalidInput("model is required")
    return Request(
        model=body.model.strip(),
        conversation=conversation,
        keep_alive_s=keep_alive_s(body.keep_alive),
        truncate=body.truncate,
        shift=body.truncate,
        logprobs=logprobs,
        id=request_id,
    )


def _chat_logprobs(body: ChatRequest) -> int | None:
    top = body.top_logprobs or 0
    if not 0 <= top <= 20:
        raise InvalidInput("top_logprobs must be between 0 and 20")
    if top and not body.logprobs:
        raise InvalidInput("top_logprobs needs logprobs to be true")
    return top if body.logprobs else None
