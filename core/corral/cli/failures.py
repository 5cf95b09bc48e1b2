"""Run a command and turn what goes wrong into one line and an exit code."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import click

from corral.errors import CorralError

if TYPE_CHECKING:
    from collections.abc import Sequence

FAILED = 1
MISUSED = 2
#: What shells give for a command that Ctrl-C ended.
INTERRUPTED = 130


def run(command: click.Command, arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code. Bugs keep their traceback; everything else is one line on stderr."""
    try:
        code = command.main(args=arguments, prog_name="corral", standalone_mode=False)
        sys.stdout.flush()
    except CorralError as error:
        return _fail(str(error), FAILED)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        return MISUSED
    except click.UsageError as error:
        return _fail(_usage(error), MISUSED)
    except click.ClickException as error:
        return _fail(error.format_message(), error.exit_code)
    except (KeyboardInterrupt, click.Abort):
        return INTERRUPTED
    except BrokenPipeError:
        return _close_stdout()
    return code if isinstance(code, int) else 0


def _fail(message: str, code: int) -> int:
    click.echo(f"Error: {message}", err=True)
    return code


def _usage(error: click.UsageError) -> str:
    message = error.format_message().rstrip(".")
    command = error.ctx.command_path if error.ctx else "corral"
    return f"{message[:1].lower()}{message[1:]} (see: {command} --help)"


def _close_stdout() -> int:
    """Give the interpreter something to flush at its end that is not the broken pipe."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return FAILED
