"""Render templates that nobody vouches for, in a process that limits them and can be killed.

Started by `corral_chat_template.sandbox` as `python -m corral_chat_template.child FD`; leaves when the socket closes.
"""

from __future__ import annotations

import resource
import signal
import socket
import sys
from contextlib import contextmanager
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING

import jinja2.debug  # noqa: F401 - jinja imports it when a template fails
import msgspec
from jinja2 import TemplateSyntaxError

from corral_chat_template.environment import chat_environment, clock
from corral_chat_template.limits import CPU_S, MEMORY_BYTES, MESSAGE_BYTES, OUTPUT_CHARS, WALL_S
from corral_chat_template.provenance import control, spans
from corral_chat_template.wire import Answer, Failed, Render, Rendered, receive, send

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType, TracebackType

    from jinja2 import Template


#: Makes jinja and Python import what they import when first needed: later no file can be opened any more.
WARM_UP = r"{{ '\u00e9' | wordwrap | pprint ~ [1] | tojson }}{{ '&lt;' | striptags ~ lipsum(n=1) }}"


class OutOfTime(BaseException):
    """The CPU time of a render is used up; no `except Exception` of a template engine may swallow it."""


class OutputTooLong(Exception):
    """A template wrote more than anybody reads, and was at that line."""

    def __init__(self, line: int) -> None:
        super().__init__()
        self.line = line


def main(fd: int) -> None:
    """Answer requests until the server closes its side."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGPROF, _stop)
    compile_template = lru_cache(maxsize=1)(chat_environment().from_string)
    compile_template(WARM_UP).render()
    with socket.socket(fileno=fd) as channel:
        _give_up()
        while (message := receive(channel, MESSAGE_BYTES)) is not None:
            send(channel, msgspec.msgpack.encode(_answer(message, compile_template)))


def _give_up() -> None:
    """Give up memory beyond the limit, and files and connections altogether: all that is needed was loaded before."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    for kind in (resource.RLIMIT_NOFILE, resource.RLIMIT_FSIZE, resource.RLIMIT_CORE):
        resource.setrlimit(kind, (0, 0))


def _answer(message: bytes, compile_template: Callable[[str], Template]) -> list[Answer]:
    try:
        request = msgspec.msgpack.decode(message, type=Render)
    except RecursionError:
        return [Failed("the conversation nests too deeply", 0)]
    limit = OUTPUT_CHARS + 2 * len(message)
    answers: list[Answer] = []
    for variables in request.renders:
        stopped = answers[-1] if answers and isinstance(answers[-1], Failed) and answers[-1].limit else None
        answers.append(stopped or _render_safely(request, variables, limit, compile_template))
    return answers


def _render_safely(request: Render, variables: dict[str, object], limit: int, compile_template: Callable[[str], Template]) -> Answer:
    try:
        with _deadline():
            template = compile_template(request.template)
            return Rendered(list(spans(_render(template, _variables(request, variables), limit))))
    except OutOfTime as error:
        return Failed(f"stopped after {CPU_S:g} s of computing", _line(error.__traceback__), limit=True)
    except MemoryError as error:
        return Failed(f"stopped at {MEMORY_BYTES >> 20} MiB of memory", _line(error.__traceback__), limit=True)
    except RecursionError as error:
        return Failed("stopped: it nests too deeply", _line(error.__traceback__), limit=True)
    except OutputTooLong as error:
        return Failed(f"stopped after {limit} characters of output", error.line, limit=True)
    except TemplateSyntaxError as error:
        return Failed(str(error.message), error.lineno)
    except Exception as error:  # noqa: BLE001 - a template can raise anything
        return Failed(str.__str__(str(error)) or type(error).__name__, _line(error.__traceback__))


def _render(template: Template, variables: dict[str, object], limit: int) -> str:
    pieces: list[str] = []
    length = 0
    writing = template.root_render_func(template.new_context(variables))
    for piece in writing:
        length += len(piece)
        if length > limit:
            raise OutputTooLong(template.get_corresponding_lineno(writing.gi_frame.f_lineno))  # type: ignore[attr-defined]
        pieces.append(piece)
    return template.environment.concat(pieces)


def _variables(request: Render, variables: dict[str, object]) -> dict[str, object]:
    """Mark what is the template's own although it comes from outside: the tokenizer's tokens, and the names of known roles."""
    tokens: dict[str, object] = {name: control(str(variables[name])) for name in ("bos_token", "eos_token") if name in variables}
    messages = variables.get("messages")
    for message in messages if isinstance(messages, list) else ():
        if message["role"] in request.roles:
            message["role"] = control(message["role"])
    return variables | tokens | {"strftime_now": clock(datetime.fromisoformat(request.now))}


@contextmanager
def _deadline() -> Iterator[None]:
    """Stop at the limit of CPU time; where only C code runs no handler is called, and the alarm ends the process."""
    signal.setitimer(signal.ITIMER_PROF, CPU_S, CPU_S / 10)
    signal.setitimer(signal.ITIMER_REAL, WALL_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.setitimer(signal.ITIMER_REAL, 0)


def _stop(_signal: int, _frame: FrameType | None) -> None:
    raise OutOfTime


def _line(traceback: TracebackType | None) -> int:
    """Return the innermost template line of a traceback."""
    line = 0
    while traceback is not None:
        template = traceback.tb_frame.f_globals.get("__jinja_template__")
        if template is not None:
            line = template.get_corresponding_lineno(traceback.tb_lineno)
        traceback = traceback.tb_next
    return line


if __name__ == "__main__":
    main(int(sys.argv[1]))
