"""LoRA adapters behind the real command: what they change, what leaves an answer as it is, and which ones are refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ollama
import pytest
from adapters import random_pairs, write_adapter
from real_server import create, run, served

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = [pytest.mark.long, pytest.mark.model]

WIDTH = 576
QUERIES = {f"blk.{layer}.attn_q.weight": (WIDTH, WIDTH) for layer in range(0, 30, 3)}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, smollm2_path: Path) -> Path:
    """Return a home with SmolLM2 alone and with adapters: random ones, their opposites, and such that add nothing."""
    home = tmp_path_factory.mktemp("home")
    pairs = random_pairs(QUERIES)
    write_adapter(home / "random.gguf", pairs)
    write_adapter(home / "weak.gguf", pairs, alpha=1e-6)
    write_adapter(home / "zero.gguf", {name: (a, 0 * b) for name, (a, b) in pairs.items()})
    write_adapter(home / "opposite.gguf", {name: (a, -b) for name, (a, b) in pairs.items()})
    create(home, "plain", f"FROM {smollm2_path}\nPARAMETER num_thread 1\nPARAMETER num_ctx 256\n")
    for name in ("random", "weak", "zero"):
        create(home, name, f"FROM plain\nADAPTER ./{name}.gguf\n")
    create(home, "both", "FROM random\nADAPTER ./opposite.gguf\n")
    return home


@pytest.fixture(scope="module")
def answer(home: Path) -> Iterator[Callable[[str], str]]:
    """Give a function that asks a model."""
    with served(home) as url, ollama.Client(host=url) as client:
        options = {"temperature": 0, "num_predict": 12}
        yield lambda name: client.generate(name, "The capital of France is", raw=True, options=options, keep_alive=0).response


def test_an_adapter_changes_the_answer(answer: Callable[[str], str]) -> None:
    assert answer("random") != answer("plain")


@pytest.mark.parametrize("name", ["zero", "weak", "both"])
def test_what_adds_nothing_changes_nothing(answer: Callable[[str], str], name: str) -> None:
    """Zeros, a scale of almost nothing, and two adapters that cancel each other."""
    assert answer(name) == answer("plain")


def test_an_adapter_of_another_model_is_refused_by_the_name_of_its_file(home: Path) -> None:
    write_adapter(home / "alien.gguf", random_pairs({"blk.0.attn_q.weight": (64, 64)}))
    modelfile = home / "Modelfile.alien"
    modelfile.write_text("FROM plain\nADAPTER ./alien.gguf\n")

    refused = run(home, "create", "alien", "-f", str(modelfile))

    assert refused.returncode == 1
    assert "adapter 'alien.gguf' is for another model: its blk.0.attn_q.weight does not fit" in refused.stderr
