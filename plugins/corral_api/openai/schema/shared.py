"""Which JSON all answers of a model share: how it samples, what it cost, what went wrong."""

from __future__ import annotations

from msgspec import Struct, field


class Reasoning(Struct):
    """How much to think."""

    effort: str = ""
    summary: str = ""


class StreamOptions(Struct):
    """What a stream should say besides the answer."""

    include_usage: bool = False


class SamplingIn(Struct):
    """Fields that chat and completions share; the last block is corral's own."""

    model: str = ""
    stream: bool = False
    stream_options: StreamOptions | None = None
    n: int = 1
    max_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    seed: int | None = None
    stop: str | list[str] | None = None
    logit_bias: dict[str, float] | None = None
    top_k: int | None = None
    min_p: float | None = None
    repetition_penalty: float | None = None
    options: dict[str, object] = {}
    keep_alive: bool | float | str | None = None
    truncate: bool = False
    debug_render_only: bool = field(default=False, name="_debug_render_only")


class TokenOut(Struct):
    """A token, its bytes and its probability."""

    token: str
    logprob: float
    bytes: list[int]


class TopTokenOut(TokenOut):
    """A sampled token with the likeliest ones in its place."""

    top_logprobs: list[TokenOut]


class LogprobsOut(Struct):
    """Probabilities of a choice's tokens."""

    content: list[TopTokenOut]
    refusal: None = None


class CachedOut(Struct):
    """How many tokens of the prompt were not evaluated again."""

    cached_tokens: int


class ReasoningTokens(Struct):
    """How many of an answer's tokens were thinking."""

    reasoning_tokens: int


class UsageOut(Struct):
    """What an answer cost."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    prompt_tokens_details: CachedOut
    completion_tokens_details: ReasoningTokens


class ErrorDetail(Struct):
    """What went wrong."""

    message: str
    type: str
    param: str | None = None
    code: str | None = None


class ErrorOut(Struct):
    """Any failure, alone or as the last event of a stream."""

    error: ErrorDetail
