"""The page of faults lists every test that names one, and no fault is without a test or a reason."""

from __future__ import annotations

import runpy
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"
FAULTS = runpy.run_path(str(DOCS / "faults.py"))
KNOWN = [number for faults in FAULTS["GROUPS"].values() for number in faults]


def test_the_page_is_what_the_tests_say() -> None:
    assert (DOCS / "faults.md").read_text() == FAULTS["text"](), "run: python docs/faults.py"


def test_every_fault_has_a_test_or_a_reason_why_it_has_none() -> None:
    cited = FAULTS["citations"]()

    assert list(range(1, 106)) == KNOWN
    assert [number for number in KNOWN if bool(cited.get(number)) == (number in FAULTS["REASONS"])] == []


def test_no_test_names_a_fault_that_is_not_on_the_page() -> None:
    assert set(FAULTS["citations"]()) <= set(KNOWN)
