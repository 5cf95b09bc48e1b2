"""What tests of plugins need: models on paper, a scripted runner, an engine around it."""

from __future__ import annotations

from corral.testing.models import CHATML, model_spec, tiny_gguf
from corral.testing.plugins import load_plugin
from corral.testing.runner import ScriptedRunner, scripted_spawn

__all__ = ["CHATML", "ScriptedRunner", "load_plugin", "model_spec", "scripted_spawn", "tiny_gguf"]
