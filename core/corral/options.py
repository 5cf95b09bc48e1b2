"""The options of a model: PARAMETERs, requests and settings, merged and typed."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, TypeVar, cast

from corral.errors import InvalidOption

if TYPE_CHECKING:
    from collections.abc import Mapping

    from corral.conversation import Json, JsonObject

#: Options of older Ollama versions that clients still send; they never meant anything to corral.
RETIRED = frozenset(
    {
        "embedding_only", "f16_kv", "logits_all", "low_vram", "num_gqa", "numa", "penalize_newline",
        "rope_frequency_base", "rope_frequency_scale", "tfs_z", "use_mlock", "vocab_only",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadOptions:
    """Options that are fixed when a runner loads; None and -1 leave the value to corral. Another value means a reload."""

    num_ctx: int | None = None
    num_batch: int | None = None
    #: Layers on GPUs; -1 is automatic, 0 the CPU only.
    num_gpu: int = -1
    main_gpu: int | None = None
    #: Ids or names of the devices to use, in order; empty for all.
    device: tuple[str, ...] = ()
    use_mmap: bool | None = None
    #: 0 is automatic.
    num_thread: int = 0
    num_parallel: int | None = None
    #: "f16", "q8_0" or "q4_0".
    cache_type_k: str = "f16"
    cache_type_v: str = "f16"
    flash_attention: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """How tokens are chosen and when the answer ends. Defaults are Ollama's."""

    temperature: float = 0.8
    top_k: int = 40
    top_p: float = 0.9
    min_p: float = 0.0
    typical_p: float = 1.0
    repeat_last_n: int = 64
    repeat_penalty: float = 1.0
    presence_penalty: float = 0.0
    frequency_penalty: float = 0.0
    mirostat: int = 0
    mirostat_tau: float = 5.0
    mirostat_eta: float = 0.1
    xtc_probability: float = 0.0
    xtc_threshold: float = 0.1
    dry_multiplier: float = 0.0
    dry_base: float = 1.75
    dry_allowed_length: int = 2
    dry_penalty_last_n: int = -1
    #: -1 draws a fresh seed for each request.
    seed: int = -1
    #: Tokens to generate; -1 until the model ends, or the bound of ten contexts.
    num_predict: int = -1
    #: Tokens of the head that stay when the window slides; -1 keeps all of the prompt.
    num_keep: int = 4
    stop: tuple[str, ...] = ()
    #: Pairs of token id and what is added to its logit.
    logit_bias: tuple[tuple[int, float], ...] = ()
    ignore_eos: bool = False
    #: Tokens to draft per step by prompt lookup or a draft model; -1 adapts, 0 is off.
    draft_num_predict: int = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """A merged set of options; `ignored` are the names nobody knows, kept so that they can be reported."""

    load: LoadOptions = LoadOptions()
    sampling: Sampling = Sampling()
    ignored: tuple[str, ...] = ()


#: Every option by name and the type it is read as.
KINDS: dict[str, str] = {f.name: str(f.type) for cls in (LoadOptions, Sampling) for f in fields(cls)}

_LIMITS: dict[str, tuple[float, float]] = {
    "num_ctx": (1, 16_777_216),
    "num_batch": (1, 65_536),
    "num_thread": (0, 4_096),
    "num_parallel": (1, 256),
    "temperature": (0, 100),
    "top_k": (-1, 10_000_000),
    "num_predict": (-2, 16_777_216),
    "mirostat": (0, 2),
    "seed": (-(2**63), 2**64 - 1),
    "repeat_last_n": (-1, 16_777_216),
    "dry_penalty_last_n": (-1, 16_777_216),
    "dry_allowed_length": (0, 16_777_216),
}

_CACHE_TYPES = ("f16", "q8_0", "q4_0")
_CHOICES: dict[str, tuple[str, ...]] = {"cache_type_k": _CACHE_TYPES, "cache_type_v": _CACHE_TYPES}


def merge(*layers: Mapping[str, Json]) -> Options:
    """Read options from weakest to strongest layer and return them typed.

    Raises InvalidOption for a value of the wrong type or out of range; `null` skips, unknown names are collected.
    """
    merged: JsonObject = {}
    for layer in layers:
        merged.update({name: value for name, value in layer.items() if value is not None})
    known = {name: read(name, value) for name, value in merged.items() if name in KINDS}
    return Options(
        load=_fill(LoadOptions(), known),
        sampling=_fill(Sampling(), known),
        ignored=tuple(name for name in merged if name not in KINDS and name not in RETIRED),
    )


def read(name: str, value: Json) -> object:
    """Return one option's value in its own type; raise InvalidOption when it has another."""
    kind = KINDS[name]
    result = _READERS[kind.removesuffix(" | None")](name, value)
    low, high = _LIMITS.get(name, (-math.inf, math.inf))
    if isinstance(result, int | float) and not low <= result <= high:
        raise InvalidOption(f'option "{name}" must be between {low:g} and {high:g}, not {result}')
    if name in _CHOICES and result not in _CHOICES[name]:
        raise InvalidOption(f'option "{name}" must be one of {", ".join(_CHOICES[name])}, not {result}')
    return result


def from_text(name: str, text: str) -> Json:
    """Return the JSON value that a PARAMETER's or a `/set parameter`'s text means."""
    if name not in KINDS:
        raise InvalidOption(f"unknown parameter '{name}'")
    kind = KINDS[name].removesuffix(" | None")
    if kind == "int":
        return _number(name, text, int)
    if kind == "float":
        return _number(name, text, float)
    if kind == "bool":
        return _bool_text(name, text)
    return text


Value = TypeVar("Value", int, float)


def _number(name: str, text: str, kind: type[Value]) -> Value:
    try:
        return kind(text)
    except ValueError:
        raise InvalidOption(f"parameter '{name}': invalid {kind.__name__} value [{text}]") from None


def _bool_text(name: str, text: str) -> bool:
    if text in ("1", "t", "T", "TRUE", "true", "True"):
        return True
    if text in ("0", "f", "F", "FALSE", "false", "False"):
        return False
    raise InvalidOption(f"parameter '{name}': invalid bool value [{text}]")


def _is_finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:
        # JSON knows whole numbers of any length; no option does.
        return False


def _int(name: str, value: Json) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float) or not _is_finite(value):
        raise InvalidOption(f'option "{name}" must be of type integer')
    return int(value)


def _float(name: str, value: Json) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not _is_finite(value):
        raise InvalidOption(f'option "{name}" must be of type float32')
    return float(value)


def _bool(name: str, value: Json) -> bool:
    if not isinstance(value, bool):
        raise InvalidOption(f'option "{name}" must be of type boolean')
    return value


def _str(name: str, value: Json) -> str:
    if not isinstance(value, str):
        raise InvalidOption(f'option "{name}" must be of type string')
    return value


def _strings(name: str, value: Json) -> tuple[str, ...]:
    values = [value] if isinstance(value, str) else value
    if not isinstance(values, list) or not all(isinstance(v, str) for v in values):
        raise InvalidOption(f'option "{name}" must be of an array of strings')
    return tuple(cast("list[str]", values))


def _bias(name: str, value: Json) -> tuple[tuple[int, float], ...]:
    if not isinstance(value, dict):
        raise InvalidOption(f'option "{name}" must be an object of token ids and numbers')
    try:
        return tuple((int(token), _float(name, bias)) for token, bias in value.items())
    except ValueError:
        raise InvalidOption(f'option "{name}" must have token ids as its keys') from None


_READERS = {
    "int": _int,
    "float": _float,
    "bool": _bool,
    "str": _str,
    "tuple[str, ...]": _strings,
    "tuple[tuple[int, float], ...]": _bias,
}

Filled = TypeVar("Filled", LoadOptions, Sampling)


def _fill(empty: Filled, known: Mapping[str, object]) -> Filled:
    names = {f.name for f in fields(empty)}
    return replace(empty, **{k: v for k, v in known.items() if k in names})  # type: ignore[arg-type]
