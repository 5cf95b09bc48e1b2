"""The pages say what the program does."""

from __future__ import annotations

import importlib.util
import re
import tomllib
from pathlib import Path
from types import ModuleType

import pytest

from corral.conversation import Conversation, Message
from corral.testing import load_plugin, model_spec

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


PAGES = [ROOT / "README.md", *sorted(DOCS.glob("*.md")), *sorted((ROOT / "contrib").glob("*/README.md"))]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text())

    assert [link for link in links if not (page.parent / link).exists()] == []


def test_the_plugin_of_the_readme_works() -> None:
    source = re.search(r"```python\n(# corral_shout\.py\n.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert source is not None
    module = ModuleType("corral_shout")
    exec(compile(source[1], "README.md", "exec"), vars(module))

    prompt = load_plugin(module).render_prompt(model_spec(renderer="shout"), Conversation(messages=(Message(role="user", content="hi"),)))

    assert prompt.text.startswith("HI\n")
