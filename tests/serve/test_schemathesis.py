"""The published OpenAPI document, tried by a stranger: thousands of requests, no server error, no answer against the schemas."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from corral.testing import model_spec
from corral.testing.api import PaperLibrary, ScriptedEngine
from corral.testing.serving import mount_plugins, serving
from corral_api import anthropic, metrics, ollama, openai, openapi

if TYPE_CHECKING:
    from corral.keys import KeyFile
    from corral.settings import Settings
    from corral.spec import ModelSpec

pytestmark = pytest.mark.long


class AnyModel(PaperLibrary):
    """A library that knows every name, so that requests get past the first check."""

    def resolve(self, name: str) -> ModelSpec:
        return model_spec("test:latest")

    def delete(self, name: str) -> None:
        return None


def test_no_request_breaks_the_server_or_the_schemas(settings: Settings, keys: KeyFile) -> None:
    """F99."""
    pytest.importorskip("schemathesis")
    engine = ScriptedEngine()
    engine.library = AnyModel()
    checks = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"
    with serving(mount_plugins([ollama, openai, anthropic, metrics, openapi], engine, settings), settings, keys) as url:
        command = [sys.executable, "-m", "schemathesis.cli", "run", f"{url}/openapi.json", "--checks", checks]
        result = subprocess.run(
            [*command, "--max-examples", "60", "--phases", "coverage,fuzzing"], capture_output=True, text=True, check=False
        )

    generated = re.search(r"(\d+) generated", result.stdout)
    assert result.returncode == 0, result.stdout[-4000:]
    assert generated is not None
    assert int(generated[1]) >= 2000
