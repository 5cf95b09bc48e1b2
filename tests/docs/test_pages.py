"""The pages say what the program does."""

from __future__ import annotations

import importlib.util
import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from types import ModuleType

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
SHOUT = ROOT / "contrib" / "corral-shout"


@pytest.fixture(scope="module")
def generate() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate", DOCS / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", ["cli.md", "settings.md"])
def test_a_generated_page_is_up_to_date(name: str, generate: ModuleType) -> None:
    assert (DOCS / name).read_text() == generate.pages()[name], "run: python docs/generate.py"


@pytest.mark.parametrize("name", ["corral_shout.py", "test_corral_shout.py"])
def test_the_guide_shows_the_example_as_it_is(name: str) -> None:
    shown = re.search(rf"<!-- contrib/corral-shout/{name} -->\n```python\n(.*?)```", (DOCS / "plugins.md").read_text(), re.DOTALL)

    assert shown is not None
    assert shown[1] == (SHOUT / name).read_text()


def test_the_guide_names_the_example_as_it_is_packaged() -> None:
    shown = re.search(r"```toml\n(.*?)```", (DOCS / "plugins.md").read_text(), re.DOTALL)
    real = tomllib.loads((SHOUT / "pyproject.toml").read_text())

    assert shown is not None
    guide = tomllib.loads(shown[1])
    assert guide["build-system"] == real["build-system"]
    assert guide["tool"] == real["tool"]
    assert guide["project"].items() <= real["project"].items()


@pytest.mark.parametrize("page", sorted(path.name for path in DOCS.glob("*.md")))
def test_links_between_pages_lead_somewhere(page: str) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)", (DOCS / page).read_text())

    assert [link for link in links if not (DOCS / link).exists()] == []
