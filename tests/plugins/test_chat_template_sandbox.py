"""Hostile templates are stopped, and nothing else is disturbed (F75)."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, process_time

import pytest

from corral_chat_template.limits import CHILDREN
from corral_chat_template.probing import probe
from corral_chat_template.sandbox import Sandbox
from corral_chat_template.traits import Traits
from corral_chat_template.wire import Failed, Rendered


@pytest.fixture(scope="module")
def sandbox():
    sandbox = Sandbox()
    yield sandbox
    sandbox.close()


def render(sandbox: Sandbox, template: str, **variables):
    return sandbox.render(template, [variables])[0]


def process_of(sandbox: Sandbox, template: str) -> subprocess.Popen:
    return sandbox._child_of(template)._process._process


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("a\n{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}", "stopped after 1 s of computing"),
        ("a\n{{ 'x' * 10**10 }}", "stopped at 1024 MiB of memory"),
        ("a\n{{ ['x'] * 10**10 }}", "stopped at 1024 MiB of memory"),
        ("a\n{% macro f(x) %}{{ f(x) }}{% endmacro %}{{ f(1) }}", "stopped: it nests too deeply"),
        ("a\n{% for i in range(99999) %}{{ 'x' * 99999 }}{% endfor %}", "characters of output"),
        ("a\n{% for i in range(10**9) %}{% endfor %}", "Range too big"),
    ],
    ids=["loop", "string", "list", "recursion", "output", "range"],
)
def test_a_hostile_template_is_stopped_at_its_line(sandbox, template, message):
    """F75."""
    answer = render(sandbox, template)
    assert isinstance(answer, Failed)
    assert message in answer.message
    assert answer.line == 2
    assert render(sandbox, "fine") == Rendered([("fine", True)])


def test_a_flood_of_text_is_not_compared_outside_the_child(sandbox):
    """F75: what a template teaches is worked out in the server's own process, in time that grows with the square of its text."""
    started = process_time()
    assert probe("{{ ('\\n' * 400000) | indent(9) }}", {}, sandbox) == Traits()
    assert process_time() - started < 1


def test_filters_that_import_late_still_work(sandbox):
    assert render(sandbox, "{{ '<b>1 &lt; 2</b>' | striptags }}") == Rendered([("1 < 2", True)])


@pytest.mark.parametrize(
    "expression",
    [
        "''.__class__.__mro__[-1].__subclasses__()",
        "('' | attr('__class__')) ~ 1 | int",
        "cycler.__init__.__globals__.os.system('id')",
        "lipsum.__globals__['os']",
        "namespace.__init__.__globals__",
        "dict.__class__.__base__",
        "messages.__reduce__()",
        "self.__init__.__globals__",
        "'{0.__class__.__mro__}'.format('')",
        "'abc'.strip.__func__.__globals__.x",
        "raise_exception.__globals__.x",
        "namespace(__class__=1)",
        "{}.update({'a': 1})",
        "messages.clear()",
    ],
)
def test_no_expression_reaches_python(sandbox, expression):
    """F75."""
    answer = render(sandbox, "{{ EXPRESSION }}{{ (EXPRESSION).x.y }}".replace("EXPRESSION", expression), messages=[{"role": "user"}])
    assert isinstance(answer, Failed)
    assert not answer.limit


def test_a_child_that_does_not_answer_is_killed():
    sandbox = Sandbox(patience_s=2)
    render(sandbox, "x")
    process = process_of(sandbox, "x")
    process.send_signal(signal.SIGSTOP)
    assert "killed" in render(sandbox, "x").message
    assert process.returncode == -signal.SIGKILL


@contextmanager
def hanging(sandbox: Sandbox, template: str):
    """Give a render that hangs for as long as its stopped process does."""
    render(sandbox, template)
    process = process_of(sandbox, template)
    process.send_signal(signal.SIGSTOP)
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(render, sandbox, template)
        while not sandbox._child_of(template)._turn.locked():
            pass
        yield answer
        process.send_signal(signal.SIGCONT)


def test_a_template_that_hangs_does_not_delay_the_others(sandbox):
    with hanging(sandbox, "hangs") as answer:
        assert render(sandbox, "good") == Rendered([("good", True)])
        assert not answer.done()


def test_only_the_latest_templates_keep_a_child():
    sandbox = Sandbox()
    processes = [(render(sandbox, str(number)), process_of(sandbox, str(number)))[1] for number in range(CHILDREN + 1)]
    assert [process.poll() is None for process in processes] == [False] + [True] * CHILDREN
    sandbox.close()
    assert all(process.poll() is not None for process in processes)


def test_a_child_that_is_not_kept_finishes_its_render():
    sandbox = Sandbox()
    with hanging(sandbox, "slow") as answer:
        sandbox.close()
    assert answer.result() == Rendered([("slow", True)])


def test_a_child_that_somebody_killed_is_replaced(sandbox):
    render(sandbox, "again")
    process_of(sandbox, "again").kill()
    process_of(sandbox, "again").wait(10)
    assert render(sandbox, "again") == Rendered([("again", True)])


def test_templates_append_to_their_own_lists(sandbox):
    template = "{% set made = [] %}{% set _ = made.append('a') %}{% set _ = made.append('b') %}{{ made.pop() }}{{ made | length }}"
    assert render(sandbox, template) == Rendered([("b", True), ("1", False)])


def test_what_one_render_changes_the_next_does_not_see(sandbox):
    template = "{% set _ = messages.append({'role': 'x'}) %}{{ messages | length }}"
    variables = {"messages": [{"role": "user"}]}
    assert sandbox.render(template, [variables, variables]) == [Rendered([("2", False)])] * 2


def test_generation_tags_and_loop_controls_work(sandbox):
    template = "{% for i in [1, 2, 3] %}{% if i == 2 %}{% continue %}{% endif %}{% generation %}<{{ i }}>{% endgeneration %}{% endfor %}"
    assert "".join(text for text, _ in render(sandbox, template).runs) == "<1><3>"


def test_a_warm_render_takes_about_a_millisecond(sandbox):
    template, variables = (
        "{% for m in messages %}{{ m.role + m.content }}{% endfor %}",
        {"messages": [{"role": "user", "content": "Hi"}] * 5},
    )
    render(sandbox, template, **variables)
    start = monotonic()
    for _ in range(50):
        render(sandbox, template, **variables)
    assert (monotonic() - start) / 50 < 0.02


def test_the_child_leaves_with_its_parent():
    render_and_vanish = """
import os
from corral_chat_template.limits import CHILDREN
from corral_chat_template.probing import probe
from corral_chat_template.sandbox import Sandbox
from corral_chat_template.traits import Traits
sandbox = Sandbox()
sandbox.render("x", [{}])
print(sandbox._child_of('x')._process._process.pid, flush=True)
os._exit(1)
"""
    parent = subprocess.run([sys.executable, "-c", render_and_vanish], capture_output=True, text=True, timeout=20, check=False)
    try:
        child = os.pidfd_open(int(parent.stdout))
    except ProcessLookupError:
        return
    has_ended, _, _ = select.select([child], [], [], 10)
    os.close(child)
    assert has_ended


def test_importing_the_plugin_does_not_import_jinja2():
    code = "import sys, corral_chat_template; print([m for m in ('jinja2', 'msgspec', 'corral_chat_template.sandbox') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=20, check=True).stdout.strip() == "[]"


def test_the_child_knows_no_secrets_and_opens_nothing(sandbox, monkeypatch):
    monkeypatch.setenv("SECRET_KEY", "hidden")
    render(sandbox, "secret")
    process = Path("/proc") / str(process_of(sandbox, "secret").pid)
    assert b"SECRET_KEY" not in (process / "environ").read_bytes()
    limits = (process / "limits").read_text()
    assert [line.split()[3:5] for line in limits.splitlines() if line.startswith("Max open files")] == [["0", "0"]]
