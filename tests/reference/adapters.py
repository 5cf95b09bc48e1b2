"""LoRA adapters in GGUF, out of matrices."""

from __future__ import annotations

from typing import TYPE_CHECKING

import gguf
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import numpy.typing as npt

    Floats = npt.NDArray[np.float32]


def random_pairs(shapes: Mapping[str, tuple[int, int]], *, rank: int = 4) -> dict[str, tuple[Floats, Floats]]:
    """Return A and B for each weight, by its name and (rows, columns)."""
    random = np.random.default_rng(7)

    def some(*shape: int) -> Floats:
        return random.normal(0, 0.2, shape).astype(np.float32)

    return {name: (some(rank, columns), some(rows, rank)) for name, (rows, columns) in shapes.items()}


def write_adapter(path: Path, pairs: Mapping[str, tuple[Floats, Floats]], *, alpha: float = 4, architecture: str = "llama") -> Path:
    """Write an adapter and return its path; it adds `alpha / rank * B @ A` to each weight."""
    writer = gguf.GGUFWriter(path, architecture)
    writer.add_type("adapter")
    writer.add_string("adapter.type", "lora")
    writer.add_float32("adapter.lora.alpha", alpha)
    for name, (a, b) in pairs.items():
        writer.add_tensor(f"{name}.lora_a", a)
        writer.add_tensor(f"{name}.lora_b", b)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path
