"""What a runner promises to the engine: one loaded model that generates, embeds and counts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, TypeAlias, runtime_checkable

from corral.options import Sampling

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping, Sequence

    from corral.conversation import Prompt
    from corral.events import FinishReason, Grammar, TokenLogprob, Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class Generation:
    """One request to a runner. Stop strings are the prompt's and the sampling's together."""

    prompt: Prompt
    sampling: Sampling = Sampling()
    grammar: Grammar | None = None
    #: None is off; 0 the sampled token only; n also the n most likely ones.
    logprobs: int | None = None
    #: Whether a prompt longer than the context is cut (else ContextExceeded), and whether the window may slide.
    truncate: bool = True
    shift: bool = True
    #: Tokens to put before the prompt (`context` of /api/generate).
    context: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Piece:
    """Text that one step of decoding completed: whole code points, no stop string. May be empty when only logprobs came.

    `tokens` counts those that were chosen since the last piece; a runner that does not count leaves it 0.
    """

    text: str
    logprobs: tuple[TokenLogprob, ...] = ()
    tokens: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """Something less than was asked for, with a code: `prompt_truncated`, `context_shifted`, ..."""

    code: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """The end of a generation. `stop` is the stop string that ended it; empty when a token or a limit did."""

    reason: FinishReason
    usage: Usage
    stop: str = ""
    #: Tokens of the prompt and the answer, when the request asked for them by `context`.
    tokens: tuple[int, ...] = ()


Output: TypeAlias = Piece | Notice | Done


@dataclass(frozen=True, slots=True, kw_only=True)
class Embeddings:
    """Vectors in the order of the inputs, as the model pools them (not normalised), and the tokens they took."""

    vectors: tuple[tuple[float, ...], ...]
    prompt_tokens: int
    notices: tuple[Notice, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Relevance:
    """How relevant each document is to a query, from 0 to 1 and in the order of the documents, and the tokens that took."""

    scores: tuple[float, ...]
    prompt_tokens: int
    notices: tuple[Notice, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RunnerInfo:
    """What a ready runner says of itself. Memory is in bytes by the runner's name of the device ("CPU", "CUDA0")."""

    context_tokens: int
    slots: int
    embedding_length: int = 0
    memory: Mapping[str, int] = field(default_factory=dict)
    load_s: float = 0.0
    pid: int = 0
    notices: tuple[Notice, ...] = ()


class Runner(Protocol):
    """A loaded model. Every method raises RunnerDied when the process behind it is gone."""

    @property
    def info(self) -> RunnerInfo:
        """Return what the runner said when it became ready."""

    def generate(self, generation: Generation) -> AsyncGenerator[Output, None]:
        """Yield pieces as they are decoded and one Done at the end; closing the generator cancels within one step."""

    async def tokenize(self, prompt: Prompt) -> list[int]:
        """Return the tokens of a prompt; only control segments may become special tokens."""

    async def detokenize(self, tokens: Sequence[int]) -> str:
        """Return the text of tokens, special ones included."""

    async def embed(self, inputs: Sequence[str], *, truncate: bool = True) -> Embeddings:
        """Return a vector for each input."""

    async def free_memory(self) -> Mapping[str, int]:
        """Return the free bytes of the devices that the runner uses, by the runner's name for them."""

    async def wait_closed(self) -> str:
        """Wait until the runner is gone and return why; empty when it was asked to stop."""


@runtime_checkable
class Reranker(Protocol):
    """What a runner can do beyond `Runner` when it has models that rank."""

    async def rerank(self, query: str, documents: Sequence[str], *, truncate: bool = False) -> Relevance:
        """Return how relevant each document is to a query; `truncate` cuts the end off documents that are too long."""
