"""SGLang's tool-call detectors as an oracle: the pure-Python part of its wheel, without the engine around it."""

from __future__ import annotations

import importlib
import json
import sys
import types
import zipfile
from typing import TYPE_CHECKING, Any

import pytest
from fetched import download, fetched

if TYPE_CHECKING:
    from pathlib import Path

    from corral.conversation import JsonObject

WHEEL = "sglang==0.5.23"
FOLDER = "sglang/srt/function_call/"


def detect(module: str, detector: str, text: str, tools: tuple[JsonObject, ...]) -> list[tuple[str, JsonObject]]:
    """Return the calls that a detector finds in a whole answer."""
    protocol = _load()
    found = getattr(importlib.import_module(f"sglang.srt.function_call.{module}"), detector)()
    result = found.detect_and_parse(text, [protocol.Tool.model_validate(tool) for tool in tools])
    return [(call.name, json.loads(call.parameters)) for call in result.calls]


def _load() -> Any:
    pydantic = pytest.importorskip("pydantic")
    pytest.importorskip("orjson")
    pytest.importorskip("partial_json_parser")
    if "sglang" in sys.modules:
        return sys.modules["sglang.srt.entrypoints.openai.protocol"]
    folder = str(fetched("sglang-0.5.23", _extract))
    for name in ("sglang", "sglang.srt", "sglang.srt.entrypoints", "sglang.srt.entrypoints.openai", "sglang.srt.function_call"):
        package = types.ModuleType(name)
        package.__path__ = [f"{folder}/{name.replace('.', '/')}"]
        sys.modules[name] = package
    protocol = types.ModuleType("sglang.srt.entrypoints.openai.protocol")
    function = pydantic.create_model(
        "Function", name=(str, ...), description=(str | None, None), parameters=(dict | None, None), strict=(bool, False)
    )
    protocol.Tool = pydantic.create_model("Tool", type=(str, "function"), function=(function, ...))
    protocol.ToolChoice = pydantic.create_model("ToolChoice", type=(str, "function"))
    environ = types.ModuleType("sglang.srt.environ")
    environ.envs = types.SimpleNamespace(SGLANG_FORWARD_UNKNOWN_TOOLS=types.SimpleNamespace(get=lambda: True))
    sys.modules |= {protocol.__name__: protocol, environ.__name__: environ}
    return protocol


def _extract(folder: Path) -> None:
    wheel = download(WHEEL, folder)
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder, [name for name in archive.namelist() if name.startswith(FOLDER)])
    wheel.unlink()
