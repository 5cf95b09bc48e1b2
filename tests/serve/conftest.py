"""A guarded server with first-party APIs over a scripted engine, on a free port."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from corral.keys import KeyFile
from corral.settings import Settings
from corral.testing.api import ScriptedEngine
from corral.testing.serving import mount_plugins, serving
from corral_api import anthropic, metrics, ollama, openai, openapi

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from corral.serve.mount import Mount


@pytest.fixture
def engine() -> ScriptedEngine:
    return ScriptedEngine()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(host="127.0.0.1:0", home=tmp_path, drain_timeout_s=2.0)


@pytest.fixture
def keys(settings: Settings) -> KeyFile:
    return KeyFile(settings.home / "keys.json")


@pytest.fixture
def mount(engine: ScriptedEngine, settings: Settings) -> Mount:
    return mount_plugins([ollama, openai, anthropic, metrics, openapi], engine, settings)


@pytest.fixture
def url(mount: Mount, settings: Settings, keys: KeyFile) -> Iterator[str]:
    with serving(mount, settings, keys) as address:
        yield address
