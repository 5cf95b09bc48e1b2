"""Say what a chat template may do, and what it finds.

The environment is the one that chat templates are written for (as transformers offers it), in Jinja's immutable sandbox.
Its code generator marks every constant of the template, so that the rendered text knows its authors.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, NoReturn

from jinja2 import TemplateError, nodes
from jinja2.compiler import CodeGenerator, Frame
from jinja2.exceptions import SecurityError
from jinja2.ext import Extension, loopcontrols
from jinja2.filters import sync_do_join
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import Namespace, pass_eval_context

from corral_chat_template.provenance import Marked, control, join, safe

if TYPE_CHECKING:
    from datetime import datetime

    from jinja2.nodes import EvalContext
    from jinja2.parser import Parser

#: Methods that templates call on lists they made themselves (Kimi-K2 does); what they change never leaves the child process.
LIST_METHODS = frozenset({"append", "extend", "insert", "pop"})


class MarkingGenerator(CodeGenerator):
    """Generates code in which the template's own text is marked as control text."""

    def _output_const_repr(self, group: Iterable[object]) -> str:
        return f"environment.control({''.join(map(str, group))!r})"

    def visit_Const(self, node: nodes.Const, frame: Frame) -> None:  # noqa: N802
        """Write a constant, its strings marked."""
        self.write(_source(node.as_const(frame.eval_ctx)))

    def visit_TemplateData(self, node: nodes.TemplateData, frame: Frame) -> None:  # noqa: ARG002, N802
        """Write the text between tags, marked."""
        self.write(_source(node.data))

    def visit_Concat(self, node: nodes.Concat, frame: Frame) -> None:  # noqa: N802
        """Write `a ~ b` as a join that keeps marks."""
        self.write("environment.concat(map(str, (")
        for piece in node.nodes:
            self.visit(piece, frame)
            self.write(", ")
        self.write(")))")


def _source(value: object) -> str:
    match value:
        case str():
            return f"environment.control({str(value)!r})"
        case list():
            return f"[{', '.join(map(_source, value))}]"
        case tuple():
            return f"({''.join(_source(item) + ', ' for item in value)})"
        case dict():
            return f"{{{', '.join(f'{_source(key)}: {_source(item)}' for key, item in value.items())}}}"
        case _:
            return repr(value)


class GenerationTag(Extension):
    """Renders `{% generation %}`, which marks what a model learns from, as its body."""

    tags = {"generation"}  # noqa: RUF012 - the type that Jinja declares

    def parse(self, parser: Parser) -> nodes.Scope:
        """Return the body in a scope of its own, as a macro call would give it."""
        line = next(parser.stream).lineno
        body = parser.parse_statements(("name:endgeneration",), drop_needle=True)
        return nodes.Scope(body, lineno=line)


class ChatEnvironment(ImmutableSandboxedEnvironment):
    """Jinja's immutable sandbox that keeps marks; templates may grow lists."""

    code_generator_class = MarkingGenerator
    concat = staticmethod(join)
    control = staticmethod(control)

    def is_safe_attribute(self, obj: object, attr: str, value: object) -> bool:
        """Allow what the sandbox allows, and lists to grow and shrink."""
        if isinstance(obj, list) and attr in LIST_METHODS:
            return True
        return super().is_safe_attribute(obj, attr, value)


class PlainDict:
    """Stands for `dict` in templates: it makes dicts, and gives no way to the type's own attributes."""

    def __call__(self, *args: Iterable[tuple[str, object]], **kwargs: object) -> dict[str, object]:
        """Return a dict as `dict` makes it."""
        return dict(*args, **kwargs)

    def fromkeys(self, keys: Iterable[object], value: object = None) -> dict[object, object]:
        """Return a dict of those keys."""
        return dict.fromkeys(keys, value)


class PlainNamespace(Namespace):
    """Jinja's namespace without underscore names."""

    def __init__(*args: object, **kwargs: object) -> None:
        self, *rest = args
        names: dict[str, object] = dict(*rest, **kwargs)
        for name in names:
            _check_name(name)
        Namespace.__init__(self, names)

    def __setitem__(self, name: str, value: object) -> None:
        _check_name(name)
        super().__setitem__(name, value)


def _check_name(name: str) -> None:
    if name.startswith("_"):
        raise SecurityError(f"a namespace can't hold {name!r}: names must not begin with an underscore")


def chat_environment() -> ChatEnvironment:
    """Return an environment for chat templates; `strftime_now` is a global of each render."""
    environment = ChatEnvironment(trim_blocks=True, lstrip_blocks=True, extensions=[GenerationTag, loopcontrols])
    environment.filters |= {"tojson": _tojson, "from_json": json.loads, "join": _join, "safe": safe}
    environment.globals |= {"raise_exception": _raise, "dict": PlainDict(), "namespace": PlainNamespace}
    return environment


def _raise(message: str) -> NoReturn:
    raise TemplateError(message)


def _tojson(
    value: object,
    ensure_ascii: bool = False,
    indent: int | str | None = None,
    separators: tuple[str, str] | None = None,
    sort_keys: bool = False,
) -> str:
    return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys, default=_listed)


def _listed(value: object) -> list[object]:
    if isinstance(value, Iterable) and not isinstance(value, Mapping):
        return list(value)
    raise TypeError(f"{type(value).__name__} is no JSON value")


@pass_eval_context
def _join(context: EvalContext, value: Iterable[object], d: str = "", attribute: str | int | None = None) -> str:
    return sync_do_join(context, value, d or control(""), attribute)


def clock(now: datetime) -> object:
    """Return `strftime_now` for a moment."""

    def strftime_now(form: str) -> str:
        text = now.strftime(form)
        return control(text) if isinstance(form, Marked) else text

    return strftime_now
