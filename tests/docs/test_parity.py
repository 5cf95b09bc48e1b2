"""The table of routes and fields says what the program reads, and every remark is about something that is there."""

from __future__ import annotations

import runpy
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"
PARITY = runpy.run_path(str(DOCS / "parity.py"))


def test_the_page_is_what_the_program_says() -> None:
    assert (DOCS / "parity.md").read_text() == PARITY["text"](), "run: python docs/parity.py"


def test_every_remark_is_about_a_route_and_a_field_that_exist() -> None:
    routes = [route for _, routes in PARITY["DIALECTS"] for route in routes(PARITY["ScriptedEngine"]())]
    fields = {(route.path, field.encode_name) for route in routes if route.takes for field in PARITY["_fields"](route.takes)}

    assert PARITY["NOTES"].keys() <= fields | {(route.path, "") for route in routes}
