"""Each plugin keeps the house rules by itself: a thin import, and hooks that give what they declare.

tox runs this once per plugin, in an environment with nothing but that plugin's own needs (CORRAL_TEST_PLUGIN names it).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.metadata import entry_points
from typing import TYPE_CHECKING

import pytest

from corral.conversation import Conversation, Message
from corral.errors import CorralError
from corral.plugins import PluginHost
from corral.plugins.report import Status
from corral.settings import Settings
from corral.spec import Choice, Origin
from corral.testing import model_spec

if TYPE_CHECKING:
    from pathlib import Path

OURS = sorted(point.name for point in entry_points(group="corral") if point.dist is not None and point.dist.name == "corral")
CHOSEN = [os.environ["CORRAL_TEST_PLUGIN"].removeprefix("plugin-")] if "CORRAL_TEST_PLUGIN" in os.environ else OURS

#: Loads one plugin and prints every module that came with it.
LOAD = "import json, sys; from corral.plugins import PluginHost; PluginHost.load((sys.argv[1],)); print(json.dumps(sorted(sys.modules)))"
HEAVY = {"llama_cpp", "numpy", "pynvml", "amdsmi", "quart", "hypercorn", "jinja2", "httpx2", "rich", "prompt_toolkit", "huggingface_hub"}


@pytest.fixture(params=CHOSEN)
def plugin(request: pytest.FixtureRequest) -> str:
    name = request.param
    assert isinstance(name, str)
    return name


@pytest.fixture
def host(plugin: str) -> PluginHost:
    return PluginHost.load((plugin,), strict=True)


def test_loading_a_plugin_imports_nothing_heavy(plugin: str) -> None:
    finished = subprocess.run([sys.executable, "-c", LOAD, plugin], check=True, capture_output=True, text=True)

    assert HEAVY.isdisjoint(json.loads(finished.stdout))


def test_a_plugin_offers_something_and_says_who_it_is(host: PluginHost, plugin: str) -> None:
    (report,) = [report for report in host.reports() if report.status is Status.OK]

    assert (report.name, report.distribution) == (plugin, "corral")
    assert report.offers


def test_every_renderer_renders_and_every_parser_reads_plain_text(host: PluginHost) -> None:
    conversation = Conversation(messages=(Message(role="user", content="Hi & <b>"),))
    for name in host.renderers():
        prompt = host.render_prompt(model_spec(renderer=name, template="{{ .Prompt }}"), conversation)
        assert "Hi & <b>" in prompt.text
        for parser_name in host.parsers():
            model = model_spec(renderer=name, parser=parser_name, template="{{ .Prompt }}")
            parser = host.parse_output(model, conversation, prompt)
            assert [*parser.feed("plain"), *parser.finish("stop")]


def test_devices_can_be_looked_for_without_hardware(host: PluginHost, tmp_path: Path) -> None:
    for report in host.discover_devices(Settings(home=tmp_path)):
        assert report.error == ""


def test_a_reference_to_nothing_is_refused_with_its_name(host: PluginHost, tmp_path: Path) -> None:
    for scheme in host.sources():
        with pytest.raises(CorralError, match="no-such-model"):
            host.open_source(f"{scheme}:{tmp_path}/no-such-model").resolve()


def test_runners_are_spawned_by_name(host: PluginHost) -> None:
    for name in host.runners():
        assert host.provider("runner", name).startswith("corral ")
        assert Choice(name=name, origin=Origin.EXPLICIT).name == name
