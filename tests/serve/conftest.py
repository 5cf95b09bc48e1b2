"""A guarded server with first-party APIs over a scripted engine, on a free port."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from corral.keys import KeyFile
from corral.settings import Settings
from corral.testing.api import PaperLibrary, ScriptedEngine
from corral.testing.serving import mount_plugins, serving
from corral_api import anthropic, metrics, ollama, openai, openapi

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from corral.serve.mount import Mount


@pytest.fixture(scope="session")
def shared_engine() -> ScriptedEngine:
    return ScriptedEngine()


@pytest.fixture(scope="session")
def mount(shared_engine: ScriptedEngine) -> Mount:
    """Return all first-party APIs; their apps keep nothing of a request, so that tests can share them."""
    return mount_plugins([ollama, openai, anthropic, metrics, openapi], shared_engine, Settings())


@pytest.fixture(scope="session")
def url(mount: Mount, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    home = tmp_path_factory.mktemp("home")
    with serving(mount, Settings(host="127.0.0.1:0", home=home, drain_timeout_s=2.0), KeyFile(home / "keys.json")) as address:
        yield address


@pytest.fixture
def engine(shared_engine: ScriptedEngine) -> ScriptedEngine:
    """Return the engine behind the shared server, as if it were new."""
    library = shared_engine.library
    vars(library).update(vars(PaperLibrary()))
    vars(shared_engine).update(vars(ScriptedEngine()) | {"library": library})
    return shared_engine


@pytest.fixture(autouse=True)
def _fresh(engine: ScriptedEngine) -> None:
    """Let no test see what another one wrote."""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(host="127.0.0.1:0", home=tmp_path, drain_timeout_s=2.0)


@pytest.fixture
def keys(settings: Settings) -> KeyFile:
    return KeyFile(settings.home / "keys.json")
