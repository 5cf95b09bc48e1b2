"""A stranger's plugin, installed with pip from a folder of its own, serves a model by name."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from corral.testing import tiny_gguf

SHOUT = Path(__file__).parents[2] / "contrib" / "corral-shout"
CONVERSATION = '{"messages": [{"role": "user", "content": "hi"}]}'


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install corral-shout into a folder and return it."""
    target = tmp_path_factory.mktemp("site")
    options = ["--quiet", "--no-deps", "--no-build-isolation", "--disable-pip-version-check", "--target", str(target)]
    subprocess.run([sys.executable, "-m", "pip", "install", *options, str(SHOUT)], check=True)
    return target


def corral(site: Path, home: Path, *arguments: str, stdin: str = "") -> str:
    """Run a command with the folder of the plugin on the path, and return what it prints."""
    settings = {"PYTHONPATH": str(site), "CORRAL_HOME": str(home), "CORRAL_HOST": "127.0.0.1:1"}
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("CORRAL_", "OLLAMA_"))} | settings
    command = [sys.executable, "-m", "corral", *arguments]
    result = subprocess.run(command, env=environment, input=stdin, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    return result.stdout


@pytest.mark.long
def test_the_plugins_own_tests_pass(site: Path) -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(SHOUT / "test_corral_shout.py")]

    result = subprocess.run(command, env=os.environ | {"PYTHONPATH": str(site)}, capture_output=True, text=True, check=False)

    assert result.returncode == 0, result.stdout


@pytest.mark.long
def test_an_installed_plugin_is_listed_with_its_distribution(site: Path, tmp_path: Path) -> None:
    reports = {report["name"]: report for report in json.loads(corral(site, tmp_path, "plugins", "--json"))}

    assert reports["shout"]["status"] == "ok"
    assert (reports["shout"]["distribution"], reports["shout"]["version"]) == ("corral-shout", "0.1.0")


@pytest.mark.long
def test_a_modelfile_names_the_plugin_and_show_says_who_provides_it(site: Path, tmp_path: Path) -> None:
    tiny_gguf(tmp_path / "tiny.gguf")
    corral(site, tmp_path, "create", "loud", "-f", "-", stdin=f"FROM {tmp_path}/tiny.gguf\nRENDERER shout\nPARSER shout\n")

    prompt = corral(site, tmp_path, "render", "--model", "loud", stdin=CONVERSATION)
    shown = json.loads(corral(site, tmp_path, "show", "loud", "--json"))["choices"]

    assert prompt == "<|im_start|>user\nHI<|im_end|>\n<|im_start|>assistant\n"
    assert shown["renderer"] == {"name": "shout", "origin": "Modelfile", "reason": "", "provider": "corral-shout 0.1.0"}


@pytest.mark.long
@pytest.mark.model
def test_a_real_model_answers_through_the_plugin(site: Path, tmp_path: Path, smollm2_path: Path) -> None:
    modelfile = (
        f"FROM {smollm2_path}\nRENDERER shout\nPARSER shout\nPARAMETER num_ctx 512\nPARAMETER num_thread 1\nPARAMETER num_predict 4\n"
    )
    corral(site, tmp_path, "create", "loud", "-f", "-", stdin=modelfile)

    assert corral(site, tmp_path, "run", "loud", "say hello").strip()
