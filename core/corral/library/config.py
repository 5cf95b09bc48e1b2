"""What the config of a model says about its plugins: Ollama's keys, and under `corral` where each name came from."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from corral.errors import StoreError
from corral.spec import Choice, Origin

if TYPE_CHECKING:
    from corral.conversation import JsonObject
    from corral.library.plugins import Kind
    from corral.spec import ModelFacts

#: What a Modelfile says to have no renderer, parser or runner of its own, not even an inherited or a detected one.
NONE = "none"
_OURS = "corral"
_INHERITED = "inherited"
_CLEARED = "cleared"


def decode(data: bytes, where: str) -> JsonObject:
    """Return the config that bytes hold; raise StoreError."""
    try:
        config = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise StoreError(f"the config of {where} is damaged: {error}") from error
    if not isinstance(config, dict):
        raise StoreError(f"the config of {where} is damaged: it is not an object")
    return config


def encode(config: JsonObject) -> bytes:
    """Return the bytes of a config; equal configs give equal bytes."""
    return json.dumps(config, separators=(",", ":"), sort_keys=True).encode()


def text(config: JsonObject, key: str) -> str:
    """Return a text of the config; empty when it has none."""
    value = config.get(key)
    return value if isinstance(value, str) else ""


def number(config: JsonObject, key: str) -> int:
    """Return a whole number of the config; 0 when it has none."""
    value = config.get(key)
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def named(config: JsonObject, kind: Kind) -> Choice | None:
    """Return the name that the model itself gives, with its origin; None when it leaves the choice to corral."""
    name = text(config, kind)
    if not name:
        return None
    inherited = kind in _marks(config, _INHERITED)
    return Choice(name=name, origin=Origin.INHERITED if inherited else Origin.EXPLICIT)


def is_cleared(config: JsonObject, kind: Kind) -> bool:
    """Return whether the Modelfile said `none`."""
    return kind in _marks(config, _CLEARED)


def with_choice(config: JsonObject, kind: Kind, wanted: str | None) -> JsonObject:
    """Return the config of a model made from this one, when its Modelfile gives a name, `none`, or (None) nothing."""
    inherited, cleared = set(_marks(config, _INHERITED)), set(_marks(config, _CLEARED))
    changed = {key: value for key, value in config.items() if key not in (kind, _OURS)}
    if not wanted:
        if kind in config:
            changed[kind] = config[kind]
            inherited.add(kind)
    elif wanted == NONE:
        cleared.add(kind)
        inherited.discard(kind)
    else:
        changed[kind] = wanted
        cleared.discard(kind)
        inherited.discard(kind)
    ours: JsonObject = {key: [*sorted(marks)] for key, marks in ((_INHERITED, inherited), (_CLEARED, cleared)) if marks}
    if ours:
        changed[_OURS] = ours
    return changed


def describe(facts: ModelFacts) -> JsonObject:
    """Return the keys of a config that follow from the weights."""
    return {
        "model_format": "gguf",
        "model_family": facts.architecture,
        "model_families": [facts.architecture],
        "model_type": facts.parameter_size,
        "file_type": facts.file_type or "unknown",
        "context_length": facts.context_length,
        "embedding_length": facts.embedding_length,
        "architecture": "amd64",
        "os": "linux",
    }


def _marks(config: JsonObject, key: str) -> frozenset[str]:
    ours = config.get(_OURS)
    marks = ours.get(key) if isinstance(ours, dict) else None
    return frozenset(mark for mark in marks if isinstance(mark, str)) if isinstance(marks, list) else frozenset()
