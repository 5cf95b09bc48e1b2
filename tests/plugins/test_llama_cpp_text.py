"""Text of the llama.cpp runner: whole code points, no stop string, whatever the pieces are."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corral_llama_cpp.engine.stops import StopSearch
from corral_llama_cpp.engine.text import TextStream


def naive(text: str, stops: list[str]) -> tuple[str, str]:
    """Cut at the stop string that is complete first, the longest one of those that end there."""
    for end in range(len(text) + 1):
        found = [s for s in stops if s and text[:end].endswith(s)]
        if found:
            stop = max(found, key=len)
            return text[: end - len(stop)], stop
    return text, ""


def search(pieces: list[str], stops: list[str]) -> tuple[str, str]:
    searcher, shown = StopSearch(stops), ""
    for piece in pieces:
        text, stop = searcher.feed(piece)
        shown += text
        if stop:
            return shown, stop
    return shown + searcher.finish(), ""


@given(st.lists(st.text("ab<|", max_size=4), max_size=8), st.lists(st.text("ab<|", min_size=1, max_size=4), max_size=5))
def test_stops_are_found_wherever_the_pieces_end(pieces, stops):
    assert search(pieces, stops) == naive("".join(pieces), stops)


@given(st.text("ab<", max_size=12), st.lists(st.text("ab<", min_size=1, max_size=4), max_size=4))
def test_no_part_of_a_stop_string_is_shown_before_it_is_sure(text, stops):
    searcher, shown = StopSearch(stops), ""
    for letter in text:
        piece, stop = searcher.feed(letter)
        shown += piece
        assert naive(text, stops)[0].startswith(shown)
        if stop:
            break


def test_one_of_ten_thousand_stop_strings_is_found_letter_by_letter():
    search = StopSearch([f"zebra {n}." for n in range(10_000)])
    shown = [search.feed(letter) for letter in "a zebra 1x, a zebra 9999"]
    assert "".join(text for text, _ in shown) == "a zebra 1x, a "
    assert search.feed(".") == ("", "zebra 9999.")


@given(st.text(max_size=20), st.integers(1, 4))
def test_letters_cut_anywhere_come_out_whole(text, size):
    """F44: UTF-8 split at each byte."""
    data, stream = text.encode(), TextStream(())
    shown = "".join(stream.feed(data[at : at + size]) for at in range(0, len(data), size)) + stream.finish()
    assert shown == text


@pytest.mark.parametrize(
    ("pieces", "shown"),
    [
        ([b"a\xff", b"b"], "a\ufffdb"),
        ([b"\xe2\x82"], "\ufffd"),
        ([b"\xf0\x9f", b"\x98\x80"], "\N{GRINNING FACE}"),
        ([b"\xe2", b"x"], "\ufffdx"),
    ],
)
def test_bytes_that_are_no_text_become_the_replacement_character(pieces, shown):
    """F44: invalid UTF-8."""
    stream = TextStream(())
    assert "".join(map(stream.feed, pieces)) + stream.finish() == shown


def test_what_was_held_back_is_shown_at_the_end():
    stream = TextStream(("<end>",))
    assert stream.feed(b"abc<en") + stream.finish() == "abc<en"
    assert stream.stop == ""


def test_nothing_is_shown_after_a_stop_string():
    """F74."""
    stream = TextStream(("<end>",))
    assert stream.feed(b"abc<en") == "abc"
    assert stream.feed(b"d>more") == ""
    assert (stream.finish(), stream.stop) == ("", "<end>")
