"""Every hook has a heading with its exact arguments, and an example that does what the page says."""

from __future__ import annotations

import inspect
import re
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import pytest

from corral import hookspecs
from corral.conversation import Conversation, Message
from corral.devices import DeviceKind, Placement
from corral.errors import SourceError, Unsupported
from corral.formats import fold
from corral.plugins import Candidate, PluginHost, Status
from corral.runners import Generation, Piece
from corral.settings import Settings
from corral.spec import Choice, Origin
from corral.testing import model_spec

if TYPE_CHECKING:
    from collections.abc import MutableMapping

PAGE = (Path(__file__).parents[2] / "docs" / "hooks.md").read_text()
HOOKS = {name: spec for name, spec in vars(hookspecs).items() if hasattr(spec, "corral_spec")}
PLACEMENT = Placement(shares=(), total_layers=1, host_bytes=0, context_tokens=512, parallel=1, batch_tokens=32, threads=1)


def example(hook: str) -> ModuleType:
    """Return the example below a hook's heading, as a module."""
    source = re.search(rf"^## {hook}\(.*?^```python\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    assert source is not None
    module = ModuleType(f"example_{hook}")
    exec(compile(source[1], f"hooks.md:{hook}", "exec"), vars(module))
    return module


def host_of(hook: str) -> PluginHost:
    module = example(hook)
    host = PluginHost.load(entry_points=[Candidate(name="example", load=lambda: module)], strict=True)
    assert [report.status for report in host.reports()] == [Status.OK]
    return host


def asking(text: str) -> Conversation:
    return Conversation(messages=(Message(role="user", content=text),))


@pytest.mark.parametrize("name", HOOKS)
def test_every_hook_has_a_heading_with_its_exact_arguments(name: str) -> None:
    arguments = ", ".join(inspect.signature(HOOKS[name]).parameters)

    assert f"\n## {name}({arguments})\n" in PAGE


def test_the_page_has_no_hook_that_is_gone() -> None:
    assert set(re.findall(r"^## (\w+)\(", PAGE, re.MULTILINE)) == set(HOOKS)


def test_every_hook_has_a_test_of_its_example() -> None:
    assert {name for name in globals() if name.startswith("test_hook_")} == {f"test_hook_{name}" for name in HOOKS}


def test_every_hook_says_what_it_is_in_its_docstring() -> None:
    assert [name for name, spec in HOOKS.items() if not inspect.getdoc(spec)] == []


def test_hook_declare_capabilities() -> None:
    host = host_of("declare_capabilities")

    assert set(host.renderers()) == set(host.parsers()) == {"turns"}
    assert host.renderers()["turns"].detect is not None
    assert host.parser_support(model_spec(parser="turns")).thinking == "none"


def test_hook_discover_devices() -> None:
    [report] = host_of("discover_devices").discover_devices(Settings())

    assert [(device.name, device.kind) for device in report.devices] == [("Abacus0", DeviceKind.ACCELERATOR)]


async def test_hook_spawn_runner() -> None:
    host = host_of("spawn_runner")
    model = replace(model_spec(), runner=Choice(name="parrot", origin=Origin.EXPLICIT))
    prompt = host_of("render_prompt").render_prompt(model_spec(renderer="letters"), asking("hi"))

    async with host.spawn_runner(model, PLACEMENT, Settings()) as runner:
        pieces = [output.text async for output in runner.generate(Generation(prompt=prompt)) if isinstance(output, Piece)]

    assert "".join(pieces) == "Pieces of eight!"


def test_hook_render_prompt() -> None:
    host = host_of("render_prompt")
    model = model_spec(renderer="letters")

    assert host.render_prompt(model, asking("hello")).text == "Dear model,\nhello\nYours, user\n\nDear user,\n"
    with pytest.raises(Unsupported):
        host.render_prompt(model, Conversation(messages=(Message(role="user", images=(b"png",)),)))


def test_hook_parse_output() -> None:
    host = host_of("parse_output")
    prompt = host_of("render_prompt").render_prompt(model_spec(renderer="letters"), asking("hello"))
    tools = ({"type": "function", "function": {"name": "add", "parameters": {"type": "object"}}},)
    output = '<think>hm</think>Let me add.<call>{"name": "add", "arguments": {"a": 1}}</call>'

    parser = host.parse_output(model_spec(parser="tagged"), Conversation(messages=(), tools=tools), prompt)  # type: ignore[arg-type]
    answer = fold([event for character in output for event in parser.feed(character)] + list(parser.finish("stop")))

    assert (answer.thinking, answer.content) == ("hm", "Let me add.")
    assert [(call.name, call.arguments) for call in answer.tool_calls] == [("add", {"a": 1})]


async def test_hook_create_app() -> None:
    host = host_of("create_app")
    sent: list[MutableMapping[str, object]] = []

    class Library:
        def names(self) -> list[str]:
            return ["a", "b"]

    class Engine:
        library = Library()

    async def receive() -> MutableMapping[str, object]:
        return {"type": "http.request"}

    async def send(message: MutableMapping[str, object]) -> None:
        sent.append(message)

    await host.create_app("count", Engine(), Settings())({"type": "http"}, receive, send)  # type: ignore[arg-type]

    assert [message.get("status", message.get("body")) for message in sent] == [200, b"2"]


def test_hook_open_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = example("open_source")
    monkeypatch.setattr(module, "ATTIC", tmp_path)
    host = PluginHost.load(entry_points=[Candidate(name="example", load=lambda: module)], strict=True)
    (tmp_path / "mistral.gguf").write_bytes(b"GGUF")
    told: list[tuple[int, int]] = []

    source = host.open_source("attic:mistral")
    [part] = source.resolve().parts
    source.fetch(part, tmp_path / "target", lambda done, total: told.append((done, total)))

    assert (tmp_path / "target").read_bytes() == b"GGUF"
    assert told == [(4, 4)]
    assert list(source.close()) == []
    with pytest.raises(SourceError, match=r"no llama\.gguf in the attic"):
        host.open_source("attic:llama").resolve()
