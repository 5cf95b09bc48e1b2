"""The scanner finds the earliest, longest tag, and holds back only what may still become one."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corral.formats import Source, TagScanner

TAGS = st.lists(st.text("<ab>", min_size=1, max_size=5), min_size=1, max_size=4)


def pieces_of(tags: list[str], pieces: list[str]) -> list[str]:
    """Return text and tags in order, tags in brackets."""
    source, scanner, found = Source(), TagScanner(tags), []

    def read():
        while not source.at_end:
            tag = yield from source.until(scanner, found.append)
            if tag:
                source.take(len(tag))
                found.append(f"[{tag}]")

    steps = read()
    for piece in [*pieces, ""]:
        source.push(piece)
        next(steps, None)
    source.closed = True
    next(steps, None)
    return found


def expected(tags: list[str], text: str) -> str:
    """Do the same slowly: at each place the longest tag, else one character."""
    said, at = "", 0
    while at < len(text):
        tag = max((t for t in tags if text.startswith(t, at)), key=len, default="")
        said += f"[{tag}]" if tag else text[at]
        at += len(tag) or 1
    return said


@given(tags=TAGS, text=st.text("<ab>x", max_size=20), cuts=st.lists(st.integers(0, 20), max_size=5))
@settings(max_examples=300, deadline=None)
def test_tags_are_found_as_a_slow_search_finds_them_whatever_the_pieces(tags: list[str], text: str, cuts: list[int]) -> None:
    """F66."""
    bounds = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    pieces = [text[start:end] for start, end in pairwise(bounds)]
    assert "".join(pieces_of(tags, pieces)) == expected(tags, text)


def test_a_longer_tag_wins_over_its_beginning() -> None:
    assert TagScanner(["<tool", "<tool_call>"]).scan("a<tool_call>", 0, final=False) == (1, "<tool_call>")


def test_a_tag_waits_while_a_longer_one_may_come() -> None:
    assert TagScanner(["<tool", "<tool_call>"]).scan("a<tool", 0, final=False) == (1, "")
    assert TagScanner(["<tool", "<tool_call>"]).scan("a<tool", 0, final=True) == (1, "<tool")


def test_a_tag_waits_while_an_earlier_one_may_come() -> None:
    assert TagScanner(["ab]c", "]"]).scan("ab]", 0, final=False) == (0, "")


@pytest.mark.parametrize(("text", "held"), [("hello", 0), ("hello <", 1), ("a <tool_cal", 9), ("<tool_call", 10), ("<tool_cal l", 0)])
def test_only_the_beginning_of_a_tag_is_held_back(text: str, held: int) -> None:
    assert TagScanner(["<tool_call>"]).scan(text, 0, final=False) == (len(text) - held, "")


@pytest.mark.parametrize(
    ("text", "final", "tag"),
    [
        ("<tool>", False, "<tool>"),
        ("<tool", False, None),
        ("<tool", True, "<tool"),
        ("", False, None),
        ("", True, ""),
        ("x<tool>", False, ""),
        ("<tooth", False, "<too"),
    ],
)
def test_a_tag_stands_at_a_place_or_not_or_more_text_must_tell(text: str, final: bool, tag: str | None) -> None:
    assert TagScanner(["<too", "<tool", "<tool>"]).at("12" + text, 2, final=final) == tag


def test_no_tags_find_nothing() -> None:
    assert TagScanner([""]).scan("text", 0, final=False) == (4, "")
