"""Sizes, times, tables and lines as people read them."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corral.cli import output, wording
from corral.cli.attachments import attach
from corral.cli.wrapping import WordWrapper
from corral.devices import Device, DeviceKind

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1 KB"),
        (9999, "10.0 KB"),
        (98_362_432, "98 MB"),
        (9_600_000_000, "9.6 GB"),
        (42_000_000_000, "42 GB"),
        (5_000_000_000_000, "5 TB"),
        (9_000_000_000_000_000, "9000 TB"),
    ],
)
def test_a_size_is_written_as_ollama_writes_it(count: int, text: str) -> None:
    assert wording.size(count) == text


@pytest.mark.parametrize(("count", "text"), [(None, "-"), (0, "0 MiB"), (512 * 1024**2, "512 MiB"), (24 * 1024**3, "24.0 GiB")])
def test_memory_is_counted_in_binary_units(count: int | None, text: str) -> None:
    assert wording.memory(count) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.5, "Less than a second"),
        (1, "1 second"),
        (59, "59 seconds"),
        (61, "About a minute"),
        (150, "2 minutes"),
        (3700, "About an hour"),
        (47 * 3600, "47 hours"),
        (3 * 86400, "3 days"),
        (21 * 86400, "3 weeks"),
        (90 * 86400, "3 months"),
        (3 * 365 * 86400, "3 years"),
    ],
)
def test_a_span_has_one_unit(seconds: float, text: str) -> None:
    assert wording.span(seconds) == text


def test_times_are_told_from_now() -> None:
    assert wording.ago(NOW - timedelta(hours=5), NOW) == "5 hours ago"
    assert wording.until(NOW + timedelta(minutes=4, seconds=30), NOW) == "4 minutes from now"
    assert wording.until(NOW - timedelta(seconds=1), NOW) == "Stopping..."
    assert wording.until(datetime(2318, 1, 1, tzinfo=UTC), NOW) == "Forever"


@pytest.mark.parametrize(
    ("total", "on_devices", "text"),
    [(100, 0, "100% CPU"), (100, 100, "100% GPU"), (100, 52, "48%/52% CPU/GPU"), (0, 5, "Unknown"), (5, 6, "Unknown")],
)
def test_the_split_between_processors_is_told(total: int, on_devices: int, text: str) -> None:
    assert wording.processor(total, on_devices) == text


@pytest.mark.parametrize(("seconds", "text"), [(62.5, "1m2.500s"), (1.25, "1.25s"), (0.0123, "12.3ms"), (0, "0µs")])
def test_a_measured_time_is_written_as_go_writes_it(seconds: float, text: str) -> None:
    assert wording.duration(seconds) == text


def test_a_table_is_as_wide_as_its_cells(capsys: pytest.CaptureFixture[str]) -> None:
    output.print_table(("NAME", "ID"), [("a", "1"), ("longer", "22")])

    assert capsys.readouterr().out == "NAME      ID\na         1\nlonger    22\n"


def test_an_empty_section_is_not_printed(capsys: pytest.CaptureFixture[str]) -> None:
    output.print_section("System", [])
    output.print_section("Model", [("a", "1"), ("bb", "2", "x")])

    assert capsys.readouterr().out == "  Model\n    a     1\n    bb    2    x\n\n"


def test_json_has_room_for_all_our_values(capsys: pytest.CaptureFixture[str]) -> None:
    device = Device(backend="cpu", id="0", name="CPU", kind=DeviceKind.CPU, runners=frozenset({"b", "a"}))

    output.print_json([device, NOW, Path("/m"), b"\x01"])

    out = capsys.readouterr().out
    assert '"runners": [\n      "a",\n      "b"\n    ]' in out
    assert '"kind": "cpu"' in out
    assert '"2026-01-01T00:00:00+00:00"' in out
    assert '"/m",\n  "01"' in out


@pytest.mark.parametrize(
    ("free", "total", "bar"),
    [
        (None, 100, ""),
        (5, None, ""),
        (3 * 1024**3, 4 * 1024**3, "#... 1.0 GiB of 4.0 GiB taken"),
        (9 * 1024**3, 4 * 1024**3, ".... 0 MiB of 4.0 GiB taken"),
    ],
)
def test_a_bar_shows_how_much_memory_is_taken(free: int | None, total: int | None, bar: str) -> None:
    assert output.memory_bar(free, total, 4) == bar


def test_a_long_text_is_cut_with_an_ellipsis() -> None:
    assert output.shorten("one  two\nthree", 8) == "one two…"
    assert output.shorten("short", 8) == "short"


def wrap(text: str, width: int, pieces: int = 1) -> str:
    wrapper = WordWrapper(width)
    parts = [text[i : i + pieces] for i in range(0, len(text), pieces)]
    return "".join(map(wrapper.feed, parts)) + wrapper.finish()


@pytest.mark.parametrize(
    ("text", "wrapped"),
    [
        ("one two three", "one two \nthree"),
        ("one\ntwo", "one\ntwo"),
        ("0123456789abc", "0123456789abc"),
        ("汉字汉字 汉字", "汉字汉字 \n汉字"),
    ],
)
def test_lines_break_between_words(text: str, wrapped: str) -> None:
    assert wrap(text, 10) == wrapped


@given(text=st.text(alphabet="ab \n汉", max_size=60), width=st.integers(4, 12), pieces=st.integers(1, 9))
def test_wrapping_adds_line_ends_only_wherever_the_pieces_end(text: str, width: int, pieces: int) -> None:
    wrapped = wrap(text, width, pieces)

    assert wrapped == wrap(text, width, len(text) or 1)
    assert wrapped.replace("\n", "") == text.replace("\n", "")


def test_files_named_in_a_prompt_are_attached(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "cat.png").write_bytes(b"png")

    prompt, files = attach(f"what is in {tmp_path}/cat.png and {tmp_path}/dog.png")

    assert prompt == f"what is in  and {tmp_path}/dog.png"
    assert files == (b"png",)
    assert capsys.readouterr().err == f"Added image '{tmp_path}/cat.png'\n"


def test_a_prompt_without_files_is_left_alone() -> None:
    assert attach(" just text ") == (" just text ", ())


def test_a_figure_that_nobody_measured_is_no_division_by_zero() -> None:
    assert wording.duration(math.ulp(0.0)).endswith("µs")
