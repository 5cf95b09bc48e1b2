"""How options merge, and what is refused."""

from __future__ import annotations

from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corral.errors import InvalidOption
from corral.options import KINDS, LoadOptions, Sampling, from_text, merge


def test_a_request_wins_over_the_model_and_the_model_over_the_settings() -> None:
    options = merge({"num_ctx": 1024, "top_k": 1, "seed": 1}, {"num_ctx": 2048, "top_k": 2}, {"top_k": 3})

    assert (options.load.num_ctx, options.sampling.top_k, options.sampling.seed) == (2048, 3, 1)


def test_null_leaves_the_weaker_value() -> None:
    assert merge({"temperature": 0.5}, {"temperature": None}).sampling.temperature == 0.5


def test_unknown_options_are_reported_and_retired_ones_are_not() -> None:
    assert merge({"wibble": 1, "numa": True, "use_mlock": False}).ignored == ("wibble",)


def test_any_number_is_truncated_to_an_integer_as_in_ollama() -> None:
    assert merge({"num_ctx": 4096.7}).load.num_ctx == 4096


def test_a_single_stop_string_is_a_list_of_one() -> None:
    assert merge({"stop": "END"}).sampling.stop == ("END",)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("num_ctx", "4096", 'option "num_ctx" must be of type integer'),
        ("num_ctx", True, 'option "num_ctx" must be of type integer'),
        ("temperature", "hot", 'option "temperature" must be of type float32'),
        ("temperature", float("nan"), 'option "temperature" must be of type float32'),
        ("use_mmap", 1, 'option "use_mmap" must be of type boolean'),
        ("cache_type_k", 8, 'option "cache_type_k" must be of type string'),
        ("stop", ["a", 1], 'option "stop" must be of an array of strings'),
        ("logit_bias", {"x": 1}, 'option "logit_bias" must have token ids as its keys'),
        ("num_ctx", -5, 'option "num_ctx" must be between 1 and'),
        ("num_ctx", 10**30, 'option "num_ctx" must be between 1 and'),
        ("repeat_last_n", 2**32 + 1, 'option "repeat_last_n" must be between -1 and'),
        ("dry_penalty_last_n", 2**31, 'option "dry_penalty_last_n" must be between -1 and'),
        ("dry_allowed_length", -1, 'option "dry_allowed_length" must be between 0 and'),
        ("cache_type_v", "q3_k", 'option "cache_type_v" must be one of f16, q8_0, q4_0, not q3_k'),
    ],
)
def test_a_wrong_value_is_refused_by_name(name: str, value: object, message: str) -> None:
    with pytest.raises(InvalidOption) as caught:
        merge({name: value})  # type: ignore[dict-item]

    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("temperature", "0.25", 0.25),
        ("num_ctx", "4096", 4096),
        ("use_mmap", "true", True),
        ("use_mmap", "F", False),
        ("stop", "</s>", "</s>"),
    ],
)
def test_a_parameter_s_text_means_a_typed_value(name: str, text: str, value: object) -> None:
    assert from_text(name, text) == value


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("num_ctx", "1.5", "invalid int value [1.5]"),
        ("temperature", "abc", "invalid float value [abc]"),
        ("use_mmap", "maybe", "invalid bool value [maybe]"),
        ("foo", "1", "unknown parameter 'foo'"),
    ],
)
def test_a_parameter_s_wrong_text_is_refused(name: str, text: str, message: str) -> None:
    with pytest.raises(InvalidOption) as caught:
        from_text(name, text)

    assert message in str(caught.value)


def test_every_option_has_a_reader() -> None:
    known = {f.name for cls in (LoadOptions, Sampling) for f in fields(cls)}

    assert set(KINDS) == known


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from(sorted(KINDS)), json_values, max_size=4))
def test_whatever_a_client_sends_is_typed_or_refused(layer: dict[str, object]) -> None:
    try:
        options = merge(layer)  # type: ignore[arg-type]
    except InvalidOption:
        return
    assert isinstance(options.load, LoadOptions)
    assert isinstance(options.sampling.temperature, float)
