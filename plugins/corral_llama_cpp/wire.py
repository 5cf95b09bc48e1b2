"""What the server and the runner's process say to each other."""

from __future__ import annotations

from typing import TypeAlias

import msgspec

from corral.conversation import Segment
from corral.events import FinishReason, Grammar, TokenLogprob, Usage
from corral.options import Sampling


class DeviceShare(msgspec.Struct, frozen=True):
    """The layers that one device takes, by the library's name of the device."""

    name: str
    layers: int


class Load(msgspec.Struct, frozen=True, tag="load"):
    """The first request: which model, and how."""

    path: str
    #: Tokens of one sequence, sequences at once, tokens of one batch.
    context_tokens: int
    parallel: int
    batch_tokens: int
    threads: int
    gpu_layers: int = 0
    shares: tuple[DeviceShare, ...] = ()
    #: Whether the output layer, which llama.cpp counts as one of theirs, is kept in the host's memory all the same.
    output_on_host: bool = False
    #: Only this device of `shares`, by index; None splits by layers.
    main_gpu: int | None = None
    use_mmap: bool = True
    flash_attention: bool | None = None
    cache_type_k: str = "f16"
    cache_type_v: str = "f16"
    adapters: tuple[str, ...] = ()
    draft: str = ""
    is_embedding: bool = False
    #: Memory for the states of finished answers that had to leave the cache, and for checkpoints.
    parking_bytes: int = 0
    #: A file in which the busy runners of one machine count each other; empty for none.
    neighbours: str = ""


class Generate(msgspec.Struct, frozen=True, tag="generate"):
    """Start an answer."""

    id: int
    segments: tuple[Segment, ...]
    sampling: Sampling = Sampling()
    stop: tuple[str, ...] = ()
    grammar: Grammar | None = None
    logprobs: int | None = None
    truncate: bool = True
    shift: bool = True
    context: tuple[int, ...] = ()


class Cancel(msgspec.Struct, frozen=True, tag="cancel"):
    """Stop an answer, an embedding or anything else that has this id."""

    id: int


class Tokenize(msgspec.Struct, frozen=True, tag="tokenize"):
    """Ask for the tokens of a prompt."""

    id: int
    segments: tuple[Segment, ...]


class Detokenize(msgspec.Struct, frozen=True, tag="detokenize"):
    """Ask for the text of tokens."""

    id: int
    tokens: tuple[int, ...]


class Embed(msgspec.Struct, frozen=True, tag="embed"):
    """Ask for a vector of each input."""

    id: int
    inputs: tuple[str, ...]
    truncate: bool = True


class Rerank(msgspec.Struct, frozen=True, tag="rerank"):
    """Ask how relevant each document is to a query."""

    id: int
    query: str
    documents: tuple[str, ...]
    truncate: bool = False


class AskMemory(msgspec.Struct, frozen=True, tag="memory"):
    """Ask for the free bytes of the devices."""

    id: int


Request: TypeAlias = Load | Generate | Cancel | Tokenize | Detokenize | Embed | Rerank | AskMemory
REQUESTS: tuple[type[Request], ...] = (Load, Generate, Cancel, Tokenize, Detokenize, Embed, Rerank, AskMemory)


class Note(msgspec.Struct, frozen=True, array_like=True):
    """Something less than was asked for."""

    code: str
    message: str


class End(msgspec.Struct, frozen=True, array_like=True):
    """The end of an answer."""

    reason: FinishReason
    usage: Usage
    stop: str = ""
    tokens: tuple[int, ...] = ()


class Output(msgspec.Struct, frozen=True, array_like=True):
    """What one step of decoding brought for one answer."""

    id: int
    text: str = ""
    end: End | None = None
    notes: tuple[Note, ...] = ()
    logprobs: tuple[TokenLogprob, ...] = ()
    #: Those chosen since the last text.
    tokens: int = 0


class Step(msgspec.Struct, frozen=True, tag="step"):
    """One step of decoding for all the answers in it."""

    outputs: tuple[Output, ...]


class Tokens(msgspec.Struct, frozen=True, tag="tokens"):
    """The answer to Tokenize."""

    id: int
    tokens: tuple[int, ...]


class Text(msgspec.Struct, frozen=True, tag="text"):
    """The answer to Detokenize."""

    id: int
    text: str


class Vectors(msgspec.Struct, frozen=True, tag="vectors"):
    """The answer to Embed and Rerank: `data` holds little-endian 32-bit floats, `width` of them for each input."""

    id: int
    width: int
    data: bytes
    prompt_tokens: int
    notes: tuple[Note, ...] = ()


class FreeMemory(msgspec.Struct, frozen=True, tag="free"):
    """The answer to AskMemory."""

    id: int
    free_bytes: dict[str, int]


class Failed(msgspec.Struct, frozen=True, tag="failed"):
    """A request that came to nothing; `kind` names an error of `corral.errors`."""

    id: int
    kind: str
    message: str
    #: The arguments of an error that is made of figures (tokens and context of ContextExceeded).
    figures: dict[str, int] = {}


Reply: TypeAlias = Step | Tokens | Text | Vectors | FreeMemory | Failed
REPLIES: tuple[type[Reply], ...] = (Step, Tokens, Text, Vectors, FreeMemory, Failed)


class Loaded(msgspec.Struct, frozen=True):
    """What a runner says of itself when it is ready."""

    context_tokens: int
    slots: int
    embedding_length: int = 0
    memory: dict[str, int] = {}
    load_s: float = 0.0
    notes: tuple[Note, ...] = ()
