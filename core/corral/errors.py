"""Say what went wrong in a way that a person, or an API, can act on.

CorralError                  prints as one line; everything else is a bug and keeps its traceback
├── InvalidInput             what was given can't be used as it is
│   ├── InvalidName          a model name or digest that breaks the grammar
│   ├── InvalidModelfile     a Modelfile line, with its line and column
│   ├── InvalidGGUF          a model file, with the field and the offset
│   ├── InvalidOption        a PARAMETER or request option of the wrong type
│   ├── InvalidTemplate      a chat template that fails or breaks a limit
│   ├── InvalidGrammar       a schema or grammar no sampler can follow
│   ├── ContextExceeded      more tokens than the context holds
│   └── Unsupported          the model, format or runner can't do what was asked
├── NotFound                 nothing has that name
│   ├── ModelNotFound        no installed model has that name
│   └── UnknownName          no plugin offers that name; says which ones are installed
├── Refused                  not allowed here
├── Busy                     too many requests wait already; try again later
├── PluginError              a plugin broke a rule or raised
├── StoreError               the model store can't be read or written
├── SourceError              a model can't be fetched
└── RunnerError              a runner could not do its work
    ├── LoadFailed           it never became ready
    ├── NoRoom               the model does not fit, with both figures
    └── RunnerDied           it went away in the middle of a request
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


#: Models that a message lists; `corral list` has them all.
_LISTED = 10


class CorralError(Exception):
    """A mistake or a limit that a person can act on."""


class InvalidInput(CorralError):
    """What was given can't be used as it is."""


class InvalidName(InvalidInput):
    """A model name or digest that breaks the grammar of names."""


class InvalidModelfile(InvalidInput):
    """A Modelfile that can't be read; `line` and `column` count from 1."""

    def __init__(self, message: str, *, line: int, column: int = 1) -> None:
        super().__init__(f"(line {line}, column {column}): {message}")
        self.line = line
        self.column = column


class InvalidGGUF(InvalidInput):
    """A GGUF header that contradicts itself or its file; `offset` is in bytes, `file` what people call the file."""

    def __init__(self, message: str, *, field: str, offset: int, file: str = "") -> None:
        super().__init__((f"'{file}': " if file else "") + f"{field} at offset {offset}: {message}")
        self.message = message
        self.field = field
        self.offset = offset
        self.file = file


class InvalidOption(InvalidInput):
    """A PARAMETER or request option of the wrong type or out of range."""


class InvalidTemplate(InvalidInput):
    """A chat template that fails, or breaks a limit of the sandbox."""


class InvalidGrammar(InvalidInput):
    """A JSON Schema or grammar that can't constrain a sampler."""


class ContextExceeded(InvalidInput):
    """More tokens than the context holds."""

    def __init__(self, *, tokens: int, context: int) -> None:
        super().__init__(f"the prompt has {tokens} tokens and the context holds {context}; shorten it, raise num_ctx, or allow truncation")
        self.tokens = tokens
        self.context = context


class Unsupported(InvalidInput):
    """The model, its format or its runner can't do what was asked."""


class NotFound(CorralError):
    """Nothing has that name."""


class ModelNotFound(NotFound):
    """No installed model has that name."""

    def __init__(self, name: str, installed: Iterable[str] = ()) -> None:
        names = sorted(installed)
        close = get_close_matches(name, names, n=1)
        hint = f"did you mean '{close[0]}'? " if close else f"try: corral pull {name}{'; ' if names else ''}"
        listed = f"installed: {', '.join(names[:_LISTED])}{', ...' if len(names) > _LISTED else ''}" if names else ""
        super().__init__(f"model '{name}' not found ({hint}{listed})")
        self.name = name


class UnknownName(NotFound):
    """No installed plugin offers that name."""

    def __init__(self, kind: str, name: str, installed: Iterable[str]) -> None:
        names = sorted(installed)
        close = get_close_matches(name, names, n=1)
        hint = f"did you mean '{close[0]}'? " if close else ""
        super().__init__(f"no plugin offers {kind} '{name}' ({hint}installed: {', '.join(names) or 'none'})")
        self.kind = kind
        self.name = name


class Refused(CorralError):
    """Something that is not allowed here."""


class Busy(CorralError):
    """Too many requests wait already; `retry_after_s` is a guess of when to come back."""

    def __init__(self, message: str, *, retry_after_s: float = 1.0) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class PluginError(CorralError):
    """A plugin broke a rule of the host, or raised; the message names it."""


class StoreError(CorralError):
    """The model store can't be read or written."""


class SourceError(CorralError):
    """A model can't be fetched from where it is said to be."""


class RunnerError(CorralError):
    """A runner could not do its work."""


class LoadFailed(RunnerError):
    """A runner never became ready; `out_of_memory` when that was the reason."""

    def __init__(self, message: str, *, out_of_memory: bool = False) -> None:
        super().__init__(message)
        self.out_of_memory = out_of_memory


class NoRoom(RunnerError):
    """A model does not fit in memory; both figures are in bytes."""

    def __init__(self, message: str, *, required_bytes: int, available_bytes: int) -> None:
        super().__init__(message)
        self.required_bytes = required_bytes
        self.available_bytes = available_bytes


class RunnerDied(RunnerError):
    """A runner went away in the middle of a request; `out_of_memory` when that was the reason."""

    def __init__(self, message: str, *, out_of_memory: bool = False) -> None:
        super().__init__(message)
        self.out_of_memory = out_of_memory
