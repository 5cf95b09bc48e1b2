"""Read calls whose parameters stand one by one between tags: `<function=f><parameter=k>value</parameter></function>`.

Nothing here is XML: a value is literal text up to its closing tag, with no entities and no escapes. A value may show tags
itself (a model that writes code about tool calls), so a closing tag counts only when the structure goes on behind it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from corral.events import CallStatus
from corral.formats.names import read_name
from corral.formats.scanner import TagScanner
from corral.formats.source import END
from corral.formats.xml_grammar import function_rule
from corral.formats.xml_parameters import ParameterReader
from corral.formats.xml_values import ArgumentsWriter

if TYPE_CHECKING:
    from corral.formats.call_site import CallSite, CallWriter
    from corral.formats.gbnf import Rules
    from corral.formats.machine import CallSyntax
    from corral.formats.schema import ParameterType, ToolSchemas
    from corral.formats.source import Steps

#: Prose between a wrapper's tag and its function; more than this is an answer that talks about tags.
MAX_PROSE = 200


@dataclass(frozen=True, slots=True)
class Head:
    """What stands around a name: `<function=` and `>`. An empty `end` means that the name stops before the next tag or line."""

    open: str
    end: str
    #: For a parameter's name: the type that this form of the tag states.
    kind: ParameterType | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class XmlCalls:
    """The literals of a format with tagged parameters.

    A wrapper (`open`, `close`) holds functions, a function holds parameters; `function_close` is empty when a wrapper
    holds one function that needs no closing tag of its own. `value_open` stands between a parameter's name and its value.
    With `one_newline` a value is framed by one newline on each side that is not part of it. `needs_close` says that an
    answer that ends before `close` was cut off. `instead` reads what some models write in place of a function.
    """

    functions: tuple[Head, ...] = (Head("<function=", ">"), Head('<function name="', '">'))
    parameters: tuple[Head, ...] = (Head("<parameter=", ">"), Head('<parameter name="', '">'))
    value_open: str = ""
    parameter_close: str = "</parameter>"
    function_close: str = "</function>"
    open: str = "<tool_call>"
    close: str = "</tool_call>"
    one_newline: bool = True
    needs_close: bool = True
    instead: CallSyntax | None = None
    #: What models write between one tag and the next.
    layout: str = "\n"

    def read(self, site: CallSite) -> Steps[None]:
        """Read the functions of one wrapper."""
        yield from _Wrapper(self, site).read()

    def rule(self, rules: Rules, tools: ToolSchemas, name: str) -> str:
        """Return the expression for a function up to its closing tag."""
        return function_rule(self, rules, tools, name)


class _Wrapper:
    """Reads one wrapper."""

    def __init__(self, syntax: XmlCalls, site: CallSite) -> None:
        self._syntax = syntax
        self._site = site
        self._source = site.source
        opens = [head.open for head in syntax.functions]
        self._before_function = TagScanner([*opens, syntax.close])
        self._after_function = TagScanner([*opens, syntax.close, syntax.open])
        self._before_parameter = TagScanner([*(head.open for head in syntax.parameters), *opens, syntax.function_close, syntax.close])

    def read(self) -> Steps[None]:
        if self._syntax.instead is not None:
            yield from self._source.skip_space()
            if (yield from self._source.peek()) == "{":
                yield from self._syntax.instead.read(self._site)
                return
        tag = yield from self._first()
        while tag is not None:
            tag = yield from self._function(tag)

    def _first(self) -> Steps[str | None]:
        """Return the tag of the first function; None if this is no wrapper after all."""
        if not self._syntax.functions[0].open:
            return ""
        prose, tag = yield from self._source.text_until(self._before_function, MAX_PROSE)
        if tag == self._syntax.close:
            self._source.take(len(tag))
            if not prose.strip():
                self._site.drop("empty_call", "tool call tags with nothing between them")
        return tag if tag and tag != self._syntax.close else None

    def _function(self, tag: str) -> Steps[str | None]:
        """Read a function; return the tag of the next one in the wrapper, or None."""
        self._source.take(len(tag))
        if not tag:
            yield from self._source.skip_space()
        name, _ = yield from read_name(self._source, [head.end for head in self._syntax.functions if head.open == tag])
        if not name:
            return None
        arguments = ArgumentsWriter(self._site.open(name))
        is_complete = yield from self._parameters(arguments)
        follower = (yield from self._after(arguments.call)) if is_complete else None
        arguments.close()
        return follower

    def _parameters(self, arguments: ArgumentsWriter) -> Steps[bool]:
        """Read the parameters of a function; return whether the function was closed."""
        syntax, call = self._syntax, arguments.call
        reader = ParameterReader(syntax, self._site, arguments)
        while True:
            _, tag = yield from self._source.text_until(self._before_parameter)
            if not tag:
                call.note(CallStatus.TRUNCATED)
                return False
            if tag == syntax.function_close:
                self._source.take(len(tag))
                return True
            if tag == syntax.close or any(head.open == tag for head in syntax.functions):
                call.note(CallStatus.REPAIRED if syntax.function_close else CallStatus.OK)
                return True
            is_whole = yield from reader.read(tag)
            if not is_whole:
                call.note(CallStatus.TRUNCATED)
                return False

    def _after(self, call: CallWriter) -> Steps[str | None]:
        """Read what follows a function; return the tag of another one in the same wrapper."""
        space = yield from self._source.follows(0, self._after_function)
        if space == END:
            call.note(CallStatus.TRUNCATED if self._syntax.needs_close else CallStatus.OK)
            return None
        if not space or space == self._syntax.open:
            call.note(CallStatus.REPAIRED if self._syntax.needs_close else CallStatus.OK)
            return None
        yield from self._source.skip_space()
        if space == self._syntax.close:
            self._source.take(len(space))
            return None
        return space
