"""Which JSON completions of plain prompts read and write."""

from __future__ import annotations

from msgspec import Struct, field

from corral_api.openai.schema.shared import SamplingIn, UsageOut
from corral_api.schema import DebugInfo, Report


class CompletionRequest(SamplingIn):
    """POST /v1/completions."""

    prompt: str | list[object] = ""
    suffix: str = ""
    echo: bool = False
    logprobs: int | None = None
    best_of: int = 1


class TextLogprobs(Struct):
    """Probabilities in the older form of completions."""

    tokens: list[str]
    token_logprobs: list[float]
    top_logprobs: list[dict[str, float]]
    text_offset: list[int]


class TextChoice(Struct):
    """One of the texts, or a piece of it."""

    text: str
    index: int
    finish_reason: str | None
    logprobs: TextLogprobs | None = None


class Completion(Struct, omit_defaults=True):
    """A completion, or a chunk of it."""

    id: str
    object: str
    created: int
    model: str
    system_fingerprint: str
    choices: list[TextChoice]
    usage: UsageOut | None = None
    debug_info: DebugInfo | None = field(default=None, name="_debug_info")
    corral: Report | None = None
