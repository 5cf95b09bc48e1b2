"""Whether an adapter fits the weights it is to change."""

from __future__ import annotations

from typing import TYPE_CHECKING

from corral.errors import InvalidInput

if TYPE_CHECKING:
    from corral.gguf import Header

    Shape = tuple[int, ...]

_A, _B = ".lora_a", ".lora_b"
#: Its rows are looked up and not multiplied, so that its A and B change places.
_LOOKED_UP = "token_embd.weight"


def check_adapter(name: str, adapter: Header, model: Header) -> None:
    """Raise InvalidInput, with the name of the adapter's file, when it was made for other weights."""
    kind = adapter.text("adapter.type", "lora")
    if kind != "lora":
        raise InvalidInput(f"adapter '{name}' is of type '{kind}'; llama.cpp applies lora")
    if adapter.architecture != model.architecture:
        raise InvalidInput(f"adapter '{name}' is for {adapter.architecture} models; this one is {model.architecture}")
    weights = {tensor.name: tensor.shape for tensor in model.tensors}
    parts = {tensor.name: tensor.shape for tensor in adapter.tensors}
    for part in parts:
        weight = part.removesuffix(_A).removesuffix(_B)
        if weight != part and not _fits(weights.get(weight), parts.get(weight + _A), parts.get(weight + _B), weight):
            raise InvalidInput(f"adapter '{name}' is for another model: its {weight} does not fit this one's")


def _fits(weight: Shape | None, a: Shape | None, b: Shape | None, name: str) -> bool:
    if weight is None or a is None or b is None or min(len(weight), len(a), len(b)) < 2:
        return False
    if name == _LOOKED_UP:
        return (weight[0], weight[1]) == (b[1], a[1])
    return (weight[0], weight[1]) == (a[0], b[1]) and a[1] == b[0]
