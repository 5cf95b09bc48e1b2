"""The command line: what it prints, what it refuses and with which exit code."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import click
import pytest

from corral.cli import failures
from corral.cli.commands import ALIASES, SECTIONS, SUMMARIES
from corral.cli.root import corral
from corral.errors import InvalidInput
from corral.testing import tiny_gguf

if TYPE_CHECKING:
    from collections.abc import Callable

#: Nothing listens on port 1, and to say so takes no time.
NO_SERVER = "127.0.0.1:1"


@dataclass(frozen=True, slots=True)
class Result:
    """What a command did."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> object:
        return json.loads(self.out)


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Callable[..., Result]:
    for name in [name for name in os.environ if name.startswith(("CORRAL_", "OLLAMA_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("CORRAL_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("CORRAL_HOST", NO_SERVER)
    monkeypatch.setenv("CORRAL_PLUGINS", "chat-template,qwen3-coder,llama-cpp,file")
    monkeypatch.setenv("COLUMNS", "80")

    def run(*arguments: str, stdin: str = "") -> Result:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin.encode()), encoding="utf-8"))
        capsys.readouterr()
        code = failures.run(corral, list(arguments))
        out, err = capsys.readouterr()
        return Result(code, out, err)

    return run


@pytest.fixture
def tiny(shell: Callable[..., Result], tmp_path: Path) -> str:
    """Install a model without weights and return its name."""
    tiny_gguf(tmp_path / "tiny.gguf")
    (tmp_path / "Modelfile").write_text('FROM ./tiny.gguf\nSYSTEM """Be brief."""\nPARAMETER temperature 0.7\n')
    assert shell("create", "tiny", "-f", str(tmp_path / "Modelfile")).code == 0
    return "tiny"


# Help


def test_every_command_of_the_table_is_there() -> None:
    for name, summary in SUMMARIES.items():
        command = import_module(f"corral.cli.{name}").command
        assert command.name == name
        assert command.help.split()[0] == summary.split()[0]


def test_help_shows_every_command_in_its_section(shell: Callable[..., Result]) -> None:
    result = shell("--help")

    assert result.code == 0
    for title, commands in SECTIONS:
        assert f"{title}:\n" in result.out
        assert all(f"  {name} " in result.out and summary in result.out for name, summary in commands)


@pytest.mark.parametrize("name", [*SUMMARIES, *ALIASES])
def test_every_command_has_help_within_80_columns(name: str, shell: Callable[..., Result]) -> None:
    result = shell(name, "--help")

    assert result.code == 0
    assert max(map(len, result.out.splitlines())) <= 80


def test_help_imports_neither_plugins_nor_servers() -> None:
    script = (
        "import sys\nfrom corral.cli import failures\nfrom corral.cli.root import corral\nfailures.run(corral, ['--help'])\n"
        "heavy = {'pluggy', 'rich', 'quart', 'hypercorn', 'httpx2', 'msgspec', 'prompt_toolkit', 'jinja2', 'llama_cpp', 'asyncio'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )

    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert result.stdout.splitlines()[-1] == "[]"


_STUCK = """
import threading

from corral import API_VERSION, Capabilities, hookimpl


@hookimpl
def declare_capabilities():
    threading.Thread(target=threading.Event().wait, name="stuck").start()
    return Capabilities(api_version=API_VERSION)
"""


def test_a_thread_that_a_plugin_never_stops_does_not_keep_the_command_from_leaving(tmp_path: Path) -> None:
    """F15."""
    (tmp_path / "lasting.py").write_text(_STUCK)
    command = [sys.executable, "-m", "corral", "--plugin-file", str(tmp_path / "lasting.py"), "-p", "lasting", "plugins", "--json"]

    result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)

    assert result.returncode == 0
    assert json.loads(result.stdout)[-1]["name"] == "lasting"
    assert "leaving without waiting for stuck" in result.stderr


@pytest.mark.parametrize("group", [(), ("keys",)])
def test_a_group_without_a_command_shows_its_help(group: tuple[str, ...], shell: Callable[..., Result]) -> None:
    result = shell(*group)

    assert result.code == failures.MISUSED
    assert result.err == shell(*group, "--help").out


# Mistakes


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("lst",), "no such command 'lst'; did you mean 'list'? (see: corral --help)"),
        (("list", "--jsn"), "no such option '--jsn' (did you mean '--json'?)"),
        (("show",), "missing argument 'MODEL' (see: corral show --help)"),
        (("show", "m", "--license", "--system"), "give only one of --license, --modelfile, --parameters, --template, --system"),
        (("render",), "give one of --renderer and --model"),
        (("parse", "--parser", "x", "--split", "0"), "invalid value for '--split'"),
    ],
)
def test_a_misused_command_is_one_line_and_exit_code_2(arguments: tuple[str, ...], message: str, shell: Callable[..., Result]) -> None:
    result = shell(*arguments)

    assert result.code == failures.MISUSED
    assert result.err.lower().startswith(f"error: {message.split(' (')[0].lower()}")
    assert len(result.err.splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("show", "nothere"), "model 'nothere' not found (try: corral pull nothere)"),
        (("rm", "nothere"), "model 'nothere' not found"),
        (("cp", "nothere", "x"), "model 'nothere' not found"),
        (("ps",), "no corral server answers at http://127.0.0.1:1 (start one with: corral serve)"),
        (("stop", "m"), "no corral server answers at http://127.0.0.1:1"),
        (("--host", "127.0.0.1:1", "list"), "no server answers at http://127.0.0.1:1"),
        (("--host", "x:y", "list"), "--host: 'x:y' is not an address"),
        (("-p", "nope", "parse", "--parser", "x"), "no plugin or distribution is called 'nope'"),
        (("create", "m", "-f", "/nowhere/Modelfile"), "can't read /nowhere/Modelfile: No such file or directory"),
        (("render", "--renderer", "qwen3coder"), "no plugin offers renderer 'qwen3coder' (did you mean 'qwen3-coder'?"),
        (("parse", "--parser", "gemma"), "no plugin offers parser 'gemma' ("),
        (("run", "m", "--think", "deeply", "hi"), 'invalid value for --think: "deeply"'),
        (("run", "m", "--keepalive", "long", "hi"), "--keepalive: 'long' is not a duration"),
        (("run", "m", "--format", "yaml", "hi"), "--format is not JSON"),
    ],
)
def test_a_failed_command_is_one_line_with_the_way_out_and_exit_code_1(
    arguments: tuple[str, ...], message: str, shell: Callable[..., Result]
) -> None:
    result = shell(*arguments, stdin='{"messages": [{"role": "user", "content": "hi"}]}')

    assert result.code == failures.FAILED
    assert result.err.startswith(f"Error: {message}")
    assert len(result.err.splitlines()) == 1


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (InvalidInput("no"), 1),
        (KeyboardInterrupt(), 130),
        (click.Abort(), 130),
        (click.UsageError("no"), 2),
        (click.ClickException("no"), 1),
    ],
)
def test_every_way_to_fail_has_its_exit_code(error: BaseException, code: int) -> None:
    @click.command
    def command() -> None:
        raise error

    assert failures.run(command, []) == code


def test_a_bug_keeps_its_traceback() -> None:
    @click.command
    def command() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        failures.run(command, [])


def test_a_reader_that_went_away_is_no_error() -> None:
    script = f"{sys.executable} -m corral config --json | head -c 1"

    result = subprocess.run(["bash", "-c", f"set -o pipefail; {script}"], capture_output=True, text=True, check=False)

    assert result.stderr == ""
    assert result.stdout == "["


# Models on disk


def test_a_model_is_created_listed_shown_copied_and_removed(tiny: str, shell: Callable[..., Result]) -> None:
    assert shell("cp", tiny, "second").out == f"copied '{tiny}' to 'second'\n"
    listed = shell("list").out.splitlines()
    assert listed[0].split() == ["NAME", "ID", "SIZE", "MODIFIED"]
    assert {line.split()[0] for line in listed[1:]} == {"tiny:latest", "second:latest"}
    assert shell("list", "SEC", "--json").json[0]["name"] == "second:latest"  # type: ignore[index]
    assert shell("rm", tiny, "second").out == "deleted 'tiny'\ndeleted 'second'\n"
    assert len(shell("ls").out.splitlines()) == 1


def test_show_tells_which_plugins_serve_a_model_and_who_provides_them(tiny: str, shell: Callable[..., Result]) -> None:
    out = shell("show", tiny).out

    assert "    renderer    chat-template    corral 0" in out
    assert "    runner      llama-cpp        corral 0" in out
    assert "    architecture        llama\n" in out
    assert "    temperature    0.7" in out
    assert "  System\n    Be brief.\n" in out
    assert max(map(len, out.splitlines())) <= 80
    assert "no plugin recognises the model's chat template" in " ".join(out.split())


def test_a_misspelt_model_is_suggested_and_the_installed_ones_are_named(tiny: str, shell: Callable[..., Result]) -> None:
    misspelt, other = shell("show", "tinny").err, shell("show", "other").err

    assert misspelt == f"Error: model 'tinny' not found (did you mean '{tiny}'? installed: {tiny})\n"
    assert other == f"Error: model 'other' not found (try: corral pull other; installed: {tiny})\n"


@pytest.mark.parametrize(
    ("flag", "text"), [("--system", "Be brief.\n"), ("--parameters", "temperature                    0.7\n"), ("--license", "\n")]
)
def test_show_prints_one_part_only_when_asked(flag: str, text: str, tiny: str, shell: Callable[..., Result]) -> None:
    assert shell("show", tiny, flag).out == text


def test_show_verbose_adds_the_header(tiny: str, shell: Callable[..., Result]) -> None:
    assert "  Metadata\n" in shell("show", tiny, "-v").out


def test_show_as_json_is_everything(tiny: str, shell: Callable[..., Result]) -> None:
    shown = shell("show", tiny, "--json").json

    assert shown["choices"]["renderer"]["name"] == "chat-template"  # type: ignore[index]
    assert shown["metadata"]["general.architecture"] == "llama"  # type: ignore[index]


def test_create_reads_a_modelfile_from_standard_input(tiny: str, shell: Callable[..., Result]) -> None:
    assert shell("create", "derived", "-f", "-", stdin=f"FROM {tiny}\nSYSTEM Derived.").code == 0
    assert shell("show", "derived", "--system").out == "Derived.\n"


@pytest.mark.parametrize(
    ("modelfile", "message"),
    [
        ("FRM x", "(line 1, column 1)"),
        ("FROM ./tiny.gguf\nADAPTER ./none.gguf", "there is no file"),
        ("FROM ./none.gguf", "there is no file"),
        ("FROM /dev/zero", "/dev/zero is not a regular file"),
        ("FROM none.GGUF", "there is no file"),
        ("FROM ./safe", "holds safetensors; convert them to GGUF first"),
        ("FROM ./empty", "holds no GGUF file"),
        ("FROM ./linked", "is a link that leads out of"),
        ("FROM a\nFROM b", "FROM names more than one model: a, b"),
        ("FROM ./tiny.gguf\nRENDERER qwen3coder", "no plugin offers renderer 'qwen3coder' (did you mean 'qwen3-coder'?"),
    ],
)
def test_create_says_what_is_wrong(modelfile: str, message: str, tmp_path: Path, shell: Callable[..., Result]) -> None:
    tiny_gguf(tmp_path / "tiny.gguf")
    for folder in ("safe", "empty", "linked"):
        (tmp_path / folder).mkdir()
    (tmp_path / "safe" / "model.safetensors").touch()
    (tmp_path / "linked" / "out.gguf").symlink_to(tmp_path / "tiny.gguf")
    (tmp_path / "Modelfile").write_text(modelfile)

    result = shell("create", "m", "-f", str(tmp_path / "Modelfile"))

    assert result.code == 1
    assert message in result.err.splitlines()[-1]


def test_a_folder_of_one_gguf_will_do(tmp_path: Path, shell: Callable[..., Result]) -> None:
    (tmp_path / "folder").mkdir()
    tiny_gguf(tmp_path / "folder" / "model.gguf")
    (tmp_path / "Modelfile").write_text("FROM ./folder")

    assert shell("create", "m", "-f", str(tmp_path / "Modelfile")).code == 0


# Render and parse

CONVERSATION = json.dumps({"messages": [{"role": "user", "content": "<|im_start|> is what?"}]})


def test_render_prints_the_prompt_exactly(shell: Callable[..., Result], tmp_path: Path) -> None:
    (tmp_path / "t.jinja").write_text("{% for m in messages %}<|{{ m.role }}|>{{ m.content }}{% endfor %}<|assistant|>")

    result = shell("render", "--renderer", "chat-template", "--template", str(tmp_path / "t.jinja"), stdin=CONVERSATION)

    assert result.out == "<|user|><|im_start|> is what?<|assistant|>"


def test_a_plugin_is_tried_from_its_file(shell: Callable[..., Result], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CORRAL_PLUGINS")
    path = Path(__file__).parents[2] / "contrib" / "corral-shout" / "corral_shout.py"

    prompt = shell("--plugin-file", str(path), "render", "--renderer", "shout", stdin=CONVERSATION).out
    missing = shell("--plugin-file", "/nowhere.py", "plugins")

    assert prompt == "<|im_start|>user\n<|IM_START|> IS WHAT?<|im_end|>\n<|im_start|>assistant\n"
    assert missing.code == failures.MISUSED


def test_render_as_json_tells_who_wrote_each_segment(tiny: str, shell: Callable[..., Result]) -> None:
    prompt = shell("render", "--model", tiny, "--json", stdin=CONVERSATION).json

    assert set(prompt) == {"text", "segments", "stop", "suffix"}  # type: ignore[call-overload]
    assert {"text": "<|im_start|> is what?", "kind": "user"} in prompt["segments"]  # type: ignore[index]
    assert "".join(segment["text"] for segment in prompt["segments"]) == prompt["text"]  # type: ignore[index]
    assert "Be brief." in prompt["text"]  # type: ignore[index]


@pytest.mark.parametrize(
    ("stdin", "message"),
    [("{", "the conversation is not JSON"), ("[]", "the conversation"), ('{"messages": [{"role": "user", "content": 3}]}', "messages[0]")],
)
def test_render_says_what_is_wrong_with_a_conversation(stdin: str, message: str, shell: Callable[..., Result]) -> None:
    result = shell("render", "--renderer", "qwen3-coder", stdin=stdin)

    assert result.code == 1
    assert message in result.err


@pytest.mark.parametrize(
    ("renderer", "choices"),
    [("harmony", "true, false, low, medium, high"), ("qwen3.8", "true, false, low, medium, high"), ("qwen3", "true, false")],
)
def test_render_knows_only_the_levels_of_thinking_that_go_with_the_renderer(
    renderer: str, choices: str, shell: Callable[..., Result]
) -> None:
    words = [*choices.split(", ")[2:], True, False, None]
    asked = [{"messages": [{"role": "user", "content": "Hi"}], "think": word} for word in (*words, "deeply")]
    command = ("-p", "harmony,qwen35,hermes", "render", "--renderer", renderer)

    results = [shell(*command, stdin=json.dumps(conversation)) for conversation in asked]

    assert [result.code for result in results] == [0] * len(words) + [1]
    assert f"think: 'deeply' is not known to renderer '{renderer}' (choices: {choices})" in results[-1].err


OUTPUT = "Let me see.\n<tool_call>\n<function=add>\n<parameter=a>\n1\n</parameter>\n</function>\n</tool_call>"
TOOLS = [{"type": "function", "function": {"name": "add", "parameters": {"type": "object", "properties": {"a": {"type": "integer"}}}}}]


@pytest.mark.parametrize("split", [(), ("--split", "1"), ("--split", "7")])
def test_parse_gives_the_same_answer_however_the_text_arrives(split: tuple[str, ...], tmp_path: Path, shell: Callable[..., Result]) -> None:
    (tmp_path / "tools.json").write_text(json.dumps(TOOLS))

    answer = shell("parse", "--parser", "qwen3-coder", "--tools", str(tmp_path / "tools.json"), "--fold", *split, stdin=OUTPUT).json

    assert set(answer) == {"content", "thinking", "tool_calls", "diagnostics"}  # type: ignore[call-overload]
    assert answer["tool_calls"] == [{"name": "add", "arguments": {"a": 1}, "status": "ok"}]  # type: ignore[index]


def test_parse_prints_one_event_a_line(shell: Callable[..., Result]) -> None:
    lines = shell("parse", "--parser", "qwen3-coder", "--split", "3", stdin="Hello.").out.splitlines()

    assert "".join(json.loads(line)["text"] for line in lines) == "Hello."


def test_parse_takes_line_ends_as_they_are(shell: Callable[..., Result]) -> None:
    assert shell("parse", "--parser", "qwen3-coder", "--fold", stdin="a\r\nb").json["content"] == "a\r\nb"  # type: ignore[index]


# This installation


def test_plugins_lists_what_is_offered_and_by_whom(shell: Callable[..., Result]) -> None:
    result = shell("plugins")

    assert result.out.splitlines()[0].split() == ["NAME", "FROM", "STATUS", "OFFERS"]
    assert "renderer qwen3-coder" in result.out
    assert "not selected" in result.out


def test_plugins_as_json_has_reports(shell: Callable[..., Result]) -> None:
    reports = {report["name"]: report for report in shell("plugins", "--json").json}  # type: ignore[attr-defined]

    assert reports["qwen3-coder"]["status"] == "ok"
    assert reports["qwen3-coder"]["offers"]["parser"] == ["qwen3-coder"]
    assert reports["ollama"]["status"] == "disabled"


def test_plugins_shows_hooks_and_load_times(shell: Callable[..., Result]) -> None:
    out = shell("plugins", "--hooks").out

    assert "render_prompt" in out
    assert " ms" in out


def test_config_tells_where_each_value_came_from(shell: Callable[..., Result], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OLLAMA_KEEP_ALIVE", "-1")
    monkeypatch.setenv("CORRAL_KEEPALIVE", "1m")
    monkeypatch.setenv("CORRAL_PLUGINS", "ollama-registry")
    monkeypatch.setenv("CORRAL_PRIVATE_REGISTRIES", "here:5000")

    result = shell("--models", "/m", "config")

    rows = {line.split()[0]: line.split()[1:] for line in result.out.splitlines()}
    assert rows["CORRAL_KEEP_ALIVE"] == ["forever", "OLLAMA_KEEP_ALIVE"]
    assert rows["CORRAL_MODELS"] == ["/m", "--models"]
    assert rows["CORRAL_MAX_QUEUE"] == ["512", "default"]
    assert rows["CORRAL_PRIVATE_REGISTRIES"] == ["here:5000", "CORRAL_PRIVATE_REGISTRIES"]
    assert result.err == "Warning: CORRAL_KEEPALIVE is not a setting (did you mean CORRAL_KEEP_ALIVE?)\n"


def test_an_empty_table_tells_a_person_what_to_do(shell: Callable[..., Result], monkeypatch: pytest.MonkeyPatch) -> None:
    piped = [shell("list"), shell("keys", "list")]
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    shown = [shell("list"), shell("list", "x"), shell("keys", "list")]

    assert [result.err for result in piped] == ["", ""]
    assert [result.err for result in shown] == [
        "no model is installed yet (try: corral run smollm2)\n",
        "no installed model starts with 'x'\n",
        "there are no keys, so the server asks for none (make one with: corral keys add NAME)\n",
    ]


def test_a_table_fits_a_terminal_and_is_whole_in_a_pipe(shell: Callable[..., Result], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CORRAL_PLUGINS", "hermes")
    piped = shell("plugins").out
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    shown = shell("plugins").out

    assert max(map(len, piped.splitlines())) > 80 >= max(map(len, shown.splitlines()))
    assert shown.split() == piped.split()


def test_version_says_whether_a_server_runs(shell: Callable[..., Result]) -> None:
    result = shell("version")

    assert result.out.splitlines()[0].startswith("corral version is ")
    assert result.out.splitlines()[1] == f"no server is running at http://{NO_SERVER}"
    assert shell("version", "--json").json["server"] is None  # type: ignore[index]


@pytest.mark.parametrize("name", ["bash", "zsh", "fish"])
def test_completion_prints_a_script(name: str, shell: Callable[..., Result]) -> None:
    assert "_CORRAL_COMPLETE" in shell("completion", name).out


def test_completion_knows_the_commands(monkeypatch: pytest.MonkeyPatch) -> None:
    environ = {**os.environ, "_CORRAL_COMPLETE": "bash_complete", "COMP_WORDS": "corral pl", "COMP_CWORD": "1"}

    result = subprocess.run([sys.executable, "-m", "corral"], env=environ, capture_output=True, text=True, check=False)

    assert result.stdout.split() == ["plain,plugins", "plain,plan"]


@pytest.mark.parametrize(
    ("words", "found"), [("corral render --renderer qwen3-c", "plain,qwen3-coder"), ("corral parse --parser qwen3-c", "plain,qwen3-coder")]
)
def test_completion_knows_renderers_and_parsers(words: str, found: str) -> None:
    environ = {**os.environ, "_CORRAL_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": "3"}

    result = subprocess.run([sys.executable, "-m", "corral"], env=environ, capture_output=True, text=True, check=False)

    assert found in result.stdout.split()


# Devices, keys, and the doctor


def test_devices_shows_memory_and_explains(shell: Callable[..., Result]) -> None:
    table = shell("-p", "cpu", "devices").out.splitlines()
    explained = shell("-p", "cpu", "devices", "--explain").out

    assert table[0].split() == ["NAME", "KIND", "DESCRIPTION", "FREE", "TOTAL", "RUNNERS"]
    assert table[1].split()[:2] == ["CPU", "cpu"]
    assert "    reported by" in explained
    assert "  plugin cpu\n    found    CPU (" in explained


def test_devices_as_json_has_the_reports_when_explaining(shell: Callable[..., Result]) -> None:
    plain, explained = shell("-p", "cpu", "devices", "--json").json, shell("-p", "cpu", "devices", "--explain", "--json").json

    assert plain[0]["backend"] == "cpu"  # type: ignore[index]
    assert explained["reports"][0]["plugin"] == "cpu"  # type: ignore[index]


def test_keys_are_made_listed_and_revoked(shell: Callable[..., Result]) -> None:
    made = shell("keys", "add", "laptop", "--scope", "infer")

    assert made.out.startswith("corral_")
    assert made.out.strip() not in shell("keys", "list").out
    assert shell("keys", "list", "--json").json[0]["scopes"] == "infer"  # type: ignore[index]
    assert shell("keys", "revoke", "laptop").out.startswith("revoked 'laptop'")
    assert shell("keys", "revoke", "laptop").err == "Error: there is no key 'laptop' (see: corral keys list)\n"


def test_doctor_finds_what_is_wrong_and_says_what_to_do(
    shell: Callable[..., Result], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CORRAL_PLUGINS", "cpu")
    monkeypatch.setenv("CORRAL_HOTS", "x")
    (tmp_path / "home" / "models").mkdir(parents=True)

    result = shell("doctor")

    assert result.code == 1
    assert "warn  settings  CORRAL_HOTS is not a setting (did you mean CORRAL_HOST" in result.out
    assert "fail  plugins   no plugin offers a renderer\n                -> see: corral plugins\n" in result.out
    assert "fail  devices   no runner can use any device" in result.out
    assert "ok    models    0 installed" in result.out
    assert "ok    server    none at http://127.0.0.1:1; the address is free" in result.out


def test_doctor_tells_which_plugin_a_model_misses(tiny: str, shell: Callable[..., Result], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CORRAL_PLUGINS", "cpu")

    out = shell("doctor").out

    assert f"fail  models    {tiny}:latest: no plugin offers renderer 'chat-template'\n" in out
    assert f"-> install a plugin that offers renderer 'chat-template', or corral rm {tiny}:latest\n" in out


def test_doctor_as_json_is_a_list_of_findings(shell: Callable[..., Result], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CORRAL_PLUGINS", "cpu")

    findings = shell("doctor", "--json").json

    assert {finding["area"] for finding in findings} == {"settings", "plugins", "devices", "models", "server"}  # type: ignore[attr-defined]
    assert all(set(finding) == {"area", "health", "message", "remedy"} for finding in findings)  # type: ignore[attr-defined]


@pytest.mark.long
def test_plan_shows_where_a_model_would_go_and_why(tiny: str, shell: Callable[..., Result]) -> None:
    result = shell("plan", tiny, "--num-ctx", "256")

    assert result.code == 0
    assert result.out.splitlines()[0].split() == ["DEVICE", "LAYERS", "WEIGHTS", "CACHE", "COMPUTE", "RESERVED", "LEFT"]
    assert "context    256 tokens" in result.out
    assert shell("plan", tiny, "--json").json["placement"]["context_tokens"] > 0  # type: ignore[index]


def test_completion_knows_the_installed_models(tiny: str, monkeypatch: pytest.MonkeyPatch) -> None:
    environ = {**os.environ, "_CORRAL_COMPLETE": "bash_complete", "COMP_WORDS": "corral show t", "COMP_CWORD": "2"}

    result = subprocess.run([sys.executable, "-m", "corral"], env=environ, capture_output=True, text=True, check=False)

    assert result.stdout.split() == ["plain,tiny"]
