"""JSON that is still being written is passed on as strict JSON that can be closed at any time."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from conversations import VALUE
from hypothesis import given, settings
from hypothesis import strategies as st

from corral.formats import Dialect, Outcome, Source, load_json, load_object, read_json

if TYPE_CHECKING:
    from corral.conversation import Json


def read(text: str, split: int = 0, dialect: Dialect = Dialect()) -> tuple[Outcome, str, str]:  # noqa: B008
    """Return the outcome, what was passed on, and what was not read."""
    source, written = Source(), []
    outcomes: list[Outcome] = []

    def steps():
        outcomes.append((yield from read_json(source, written.append, dialect)))

    reader = steps()
    size = split or max(1, len(text))
    for at in range(0, len(text), size):
        source.push(text[at : at + size])
        if not outcomes:
            next(reader, None)
    source.closed = True
    source.push("")
    if not outcomes:
        next(reader, None)
    return outcomes[0], "".join(written), source.text[source.at :]


@given(value=VALUE, indent=st.none() | st.just(2), ascii_only=st.booleans())
@settings(max_examples=200, deadline=None)
def test_strict_json_is_passed_on_as_it_is(value: Json, indent: int | None, ascii_only: bool) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_only)
    assert read(text, 1) == read(text) == (Outcome.OK, text, "")


@given(value=st.dictionaries(st.text(max_size=3), VALUE, max_size=3), data=st.data())
@settings(max_examples=200, deadline=None)
def test_an_object_that_stops_anywhere_is_closed_and_has_nothing_that_was_not_said(value: dict[str, Json], data: st.DataObject) -> None:
    """F67."""
    text = json.dumps(value)
    cut = text[: data.draw(st.integers(1, len(text) - 1))]
    outcome, written, _ = read(cut)
    assert outcome is Outcome.TRUNCATED
    assert set(load_object(written)) <= set(value)
    assert read(cut, 1)[:2] == (outcome, written)


@given(text=st.text("{}[]:,\"\\'ntu019-.eE truefalsenullé\n\x00", max_size=30))
@settings(max_examples=400, deadline=None)
def test_any_text_gives_strict_json_or_nothing(text: str) -> None:
    outcome, written, _ = read(text)
    if outcome <= Outcome.REPAIRED or written:
        load_json(written)
    assert read(text, 1)[:2] == (outcome, written)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{'a': 'it\\'s \"x\"'}", {"a": 'it\'s "x"'}),
        ('{"a": True, "b": None, "c": False}', {"a": True, "b": None, "c": False}),
        ('{"a": 1,}', {"a": 1}),
        ("[1, 2,]", [1, 2]),
        ('{"a": 1 "b": 2}', {"a": 1, "b": 2}),
        ('{"a": "line\nbreak\ttab\x01"}', {"a": "line\nbreak\ttab\x01"}),
        ('{"a": "\\d\\w"}', {"a": "\\d\\w"}),
        ('{"a": "\\ud800"}', {"a": "\ufffd"}),
        ('{"a": "\\ud800\\ud801"}', {"a": "\ufffd\ufffd"}),
        ('{"a": "\\uZZ"}', {"a": "\\uZZ"}),
        ('{"a": 007}', {"a": "007"}),
        ('{"a": 1e999}', {"a": "1e999"}),
        ('{"a":\u00a01}', {"a": 1}),
    ],
)
def test_what_can_mean_one_thing_only_is_mended(text: str, value: Json) -> None:
    outcome, written, _ = read(text)
    assert load_json(written) == value
    assert outcome is Outcome.REPAIRED or "\u00a0" in text
    assert read(text, 1) == read(text)


@pytest.mark.parametrize("text", ["{a: 1}", '{"a": nope}', "[1 2 3", '{"a" 1}', "x", '{"a": }', "[" * 500])
def test_what_means_nothing_is_malformed_or_cut_off(text: str) -> None:
    assert read(text)[0] >= Outcome.TRUNCATED


def test_what_follows_the_value_is_left() -> None:
    assert read('{"a": 1} rest') == (Outcome.OK, '{"a": 1}', " rest")


def test_a_strings_pieces_are_passed_on_as_they_come() -> None:
    source, written = Source(), []
    steps = read_json(source, written.append)
    seen = []
    for piece in ['{"a', '": "x', "y\\", "nz", '", "b": 1', "2", "}"]:
        source.push(piece)
        next(steps, None)
        seen.append("".join(written))
        written.clear()
    assert seen == ["{", '"a": "x', "y", "\\nz", '"', "", ', "b": 12}']


def test_a_dialect_has_its_own_quotes_and_bare_keys() -> None:
    dialect = Dialect(quote='<|"|>', bare_keys=True)
    text = '{a:<|"|>x"\n<b<|"|>,n:[1,{k:<|"|><|"|>}]}'
    outcome, written, _ = read(text, dialect=dialect)
    assert (outcome, load_json(written)) == (Outcome.OK, {"a": 'x"\n<b', "n": [1, {"k": ""}]})
    assert read(text, 1, dialect)[:2] == (outcome, written)


@pytest.mark.parametrize("text", ["NaN", "[Infinity]", "1e999", "[" * 100_000, "1" * 5000, ""])
def test_what_is_not_strictly_json_is_not_loaded(text: str) -> None:
    """F47."""
    with pytest.raises(ValueError):
        load_json(text)
