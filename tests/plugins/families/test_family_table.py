"""The page about families says what the tests compare."""

from __future__ import annotations

from family import Reference, collect, never, unchanged
from table import PAGE, page


def test_the_page_of_families_is_fresh() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run PYTHONPATH=tests/reference python tests/plugins/families/table.py"


def test_every_difference_has_its_reason() -> None:
    changed = [case for case in collect(Reference) if case.edit is not unchanged or case.excuse is not never]
    assert [case.renderer for case in changed if not case.differs] == []
