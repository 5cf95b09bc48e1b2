"""What names and digests promise: Ollama's grammar, one spelling per name, and no way out of a folder."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corral.errors import InvalidName
from corral.names import Digest, ModelName

HEX = "ab" * 32


@pytest.mark.parametrize(
    ("text", "full", "short"),
    [
        ("smollm2", "registry.ollama.ai/library/smollm2:latest", "smollm2:latest"),
        ("llama3:8B", "registry.ollama.ai/library/llama3:8B", "llama3:8B"),
        (" someone/llama3 ", "registry.ollama.ai/someone/llama3:latest", "someone/llama3:latest"),
        ("hf.co/org/Repo-GGUF:Q4_K_M", "hf.co/org/Repo-GGUF:Q4_K_M", "hf.co/org/Repo-GGUF:Q4_K_M"),
        ("localhost:5000/a/b", "localhost:5000/a/b:latest", "localhost:5000/a/b:latest"),
        ("https://example.com/a/b:c", "example.com/a/b:c", "example.com/a/b:c"),
        ("_m", "registry.ollama.ai/library/_m:latest", "_m:latest"),
        ("m.", "registry.ollama.ai/library/m.:latest", "m.:latest"),
    ],
)
def test_a_name_is_filled_up_with_the_defaults(text: str, full: str, short: str) -> None:
    name = ModelName.parse(text)

    assert (str(name), name.short) == (full, short)


@pytest.mark.parametrize(
    "text",
    [
        *("", ":", "llama3:", "a/b/c/d:t", "x.y/m", "ü", "..", "../m", "a/../b", "m:..", "m@sha256:abc"),
        *("-m", ".m", "a//b", "/m", "m\nn", "m\0", "a b", "m" * 81),
    ],
)
def test_a_name_that_breaks_the_grammar_is_refused(text: str) -> None:
    with pytest.raises(InvalidName, match="invalid model name"):
        ModelName.parse(text)


PARTS = st.text("aZ0_.-", min_size=1, max_size=6).filter(lambda part: part[0] not in ".-")


@given(host=PARTS, namespace=st.text("aZ0_-", min_size=1, max_size=6).filter(lambda part: part[0] != "-"), model=PARTS, tag=PARTS)
def test_a_printed_name_reads_back_as_the_same_name(host: str, namespace: str, model: str, tag: str) -> None:
    name = ModelName(host, namespace, model, tag)

    assert ModelName.parse(str(name)) == name
    assert ModelName.parse(name.short) == name


@given(st.text(st.sampled_from("a/.:\\~\0 -_"), max_size=20))
def test_no_text_becomes_a_path_outside_the_folder(text: str) -> None:
    try:
        path = ModelName.parse(text).relative_path
    except InvalidName:
        return

    assert len(path.parts) == 4
    assert (Path("/store") / path).resolve().is_relative_to("/store")


@pytest.mark.parametrize("text", [f"sha256:{HEX}", f"sha256-{HEX}", f"sha256:{HEX.upper()}"])
def test_a_digest_has_one_spelling(text: str) -> None:
    digest = Digest.parse(text)

    assert (str(digest), digest.file_name, digest.short) == (f"sha256:{HEX}", f"sha256-{HEX}", "abababababab")


@pytest.mark.parametrize(
    "text",
    [
        *("", "sha256:", HEX, f"sha256:{HEX}0", f"sha256:{HEX[:-1]}", "sha256:../../../etc/passwd"),
        *(f"sha512:{HEX}", f"sha256:{HEX}\n", f"sha256:{HEX[:-1]}g"),
    ],
)
def test_a_digest_that_is_none_never_names_a_file(text: str) -> None:
    """F84: a digest is the only way to a blob's path."""
    with pytest.raises(InvalidName, match="invalid digest format"):
        Digest.parse(text)


def test_names_that_differ_in_case_fold_to_the_same() -> None:
    assert ModelName.parse("Org/Model:Q4").folded == ModelName.parse("org/model:q4").folded
