"""Run a parsed Go template over its data, within limits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar, assert_never

from corral.errors import InvalidTemplate
from corral_go_template.nodes import (
    Action,
    Break,
    Call,
    Command,
    Constant,
    Continue,
    Field,
    If,
    Node,
    Nodes,
    Operand,
    Pipeline,
    Range,
    Template,
    Text,
    Variable,
    With,
    Word,
)
from corral_go_template.values import Value, ValueProblem, Written, field, is_true, items, show

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from corral_go_template.functions import Function

Result = TypeVar("Result")

#: Nodes and commands that one run may take, and as many more per message; a rich template takes some 30 for each.
MAX_STEPS: Final = 300_000
STEPS_PER_MESSAGE: Final = 300
#: Characters of output and of intermediate values.
MAX_CHARS: Final = 32 << 20
#: Templates that call templates.
MAX_CALLS: Final = 50


class Executor:
    """Runs templates; the budget is shared by all runs of one executor."""

    def __init__(self, functions: Mapping[str, Function], messages: int = 0) -> None:
        self._functions = functions
        self._max_steps = MAX_STEPS + messages * STEPS_PER_MESSAGE
        self._steps = 0
        self._chars = 0

    def run(self, template: Template, data: Value) -> list[tuple[str, bool]]:
        """Return the output in pieces; each says whether the template's author wrote it."""
        run = _Run(self, dict(template.defined), data)
        run.nodes(template.nodes, data)
        return run.output

    def spend(self, line: int, text: str = "") -> None:
        """Count a step and the text it made."""
        self._steps += 1
        self._chars += len(text)
        if self._steps > self._max_steps:
            raise InvalidTemplate(f"template line {line}: stopped after {self._max_steps} steps")
        if self._chars > MAX_CHARS:
            raise InvalidTemplate(f"template line {line}: stopped after {MAX_CHARS} characters")

    def function(self, name: str, line: int) -> Function:
        """Return a function by name."""
        if name not in self._functions:
            raise InvalidTemplate(f"template line {line}: no function named {name!r} (there are: {', '.join(sorted(self._functions))})")
        return self._functions[name]


class _Leave(Exception):
    """A `break` or `continue` on its way to its loop."""

    def __init__(self, *, ends: bool) -> None:
        super().__init__()
        self.ends = ends


class _Run:
    """One run: the output so far, the variables in sight, the line of the action at work."""

    def __init__(self, executor: Executor, defined: Mapping[str, Nodes], data: Value) -> None:
        self.output: list[tuple[str, bool]] = []
        self._executor = executor
        self._defined = defined
        self._scopes: list[dict[str, Value]] = [{"$": data}]
        self._calls = 0
        self._line = 1

    def nodes(self, nodes: Nodes, dot: Value) -> None:
        for node in nodes:
            self._node(node, dot)

    def _node(self, node: Node, dot: Value) -> None:
        match node:
            case Text():
                self._write(Written(node.text))
            case Action():
                value = self._pipeline(node.pipeline, dot)
                self._write("" if node.pipeline.variables else value)
            case If() | With():
                self._branch(node, dot)
            case Range():
                self._range(node, dot)
            case Call():
                self._call(node, dot)
            case Break() | Continue():
                raise _Leave(ends=isinstance(node, Break))
            case _:
                assert_never(node)

    def _write(self, value: Value) -> None:
        text = show(value)
        self._executor.spend(self._line, text)
        if text:
            self.output.append((text, isinstance(text, Written)))

    def _branch(self, node: If | With, dot: Value) -> None:
        self._scopes.append({})
        value = self._pipeline(node.pipeline, dot)
        if is_true(value):
            self.nodes(node.then, value if isinstance(node, With) else dot)
        else:
            self.nodes(node.otherwise, dot)
        self._scopes.pop()

    def _range(self, node: Range, dot: Value) -> None:
        self._scopes.append({})
        is_empty = True
        walked = self._pipeline(node.pipeline, dot, binds=False)
        if isinstance(walked, int) and len(node.pipeline.variables) > 1:
            raise InvalidTemplate(f"template line {self._line}: numbers have no index to range over")
        for key, value in self._guard(items, walked):
            is_empty = False
            self._executor.spend(node.pipeline.line)
            if not self._repeat(node, key, value):
                break
        if is_empty:
            self.nodes(node.otherwise, dot)
        self._scopes.pop()

    def _repeat(self, node: Range, key: Value, value: Value) -> bool:
        """Run a loop's body once; return whether the loop goes on."""
        depth = len(self._scopes)
        self._scopes.append(dict(zip(node.pipeline.variables[::-1], (value, key), strict=False)))
        try:
            self.nodes(node.then, value)
        except _Leave as leave:
            return not leave.ends
        finally:
            del self._scopes[depth:]
        return True

    def _call(self, node: Call, dot: Value) -> None:
        self._line = node.line
        nodes = self._defined.get(node.name)
        if nodes is None:
            raise InvalidTemplate(f"template line {node.line}: no template named {node.name!r}")
        value = self._pipeline(node.pipeline, dot) if node.pipeline else None
        self._calls += 1
        if self._calls > MAX_CALLS:
            raise InvalidTemplate(f"template line {node.line}: templates call each other more than {MAX_CALLS} deep")
        scopes, self._scopes = self._scopes, [{"$": value}]
        self.nodes(nodes, value)
        self._scopes = scopes
        self._calls -= 1

    def _pipeline(self, pipeline: Pipeline, dot: Value, *, binds: bool = True) -> Value:
        """Return a pipeline's value; with `binds` its variables are set, a loop sets them itself."""
        self._line = pipeline.line
        values: list[Value] = []
        for command in pipeline.commands:
            self._executor.spend(pipeline.line)
            values = [self._command(command, dot, values)]
        if binds and pipeline.variables:
            self._bind(pipeline.variables[0], values[0], declares=pipeline.declares)
        return values[0]

    def _bind(self, name: str, value: Value, *, declares: bool) -> None:
        scope = self._scopes[-1] if declares else next((scope for scope in reversed(self._scopes) if name in scope), None)
        if scope is None:
            raise InvalidTemplate(f"template line {self._line}: undefined variable {name}")
        scope[name] = value

    def _command(self, command: Command, dot: Value, piped: list[Value]) -> Value:
        first, *rest = command.parts
        if first == Constant(None):
            raise InvalidTemplate(f"template line {self._line}: nil is not a command")
        if not isinstance(first, Word):
            if rest or piped:
                raise InvalidTemplate(f"template line {self._line}: can't give arguments to a value that is no function")
            return self._operand(first, dot)
        if first.name in ("and", "or"):
            return self._decide(first.name, rest, dot, piped)
        arguments = [self._operand(part, dot) for part in rest]
        function = self._executor.function(first.name, self._line)
        value = self._guard(function, *arguments, *piped)
        self._executor.spend(self._line, value if isinstance(value, str) else "")
        return value

    def _decide(self, name: str, operands: list[Operand], dot: Value, piped: list[Value]) -> Value:
        """Return the first value that decides `and` or `or`, or the last one; values behind it are not looked at."""
        value: Value = None
        for operand in operands:
            value = self._operand(operand, dot)
            if is_true(value) == (name == "or"):
                return value
        return piped[0] if piped else value

    def _operand(self, operand: Operand, dot: Value) -> Value:
        match operand:
            case Constant(str() as text):
                return Written(text)
            case Constant():
                return operand.value
            case Variable():
                return self._variable(operand.name)
            case Field():
                return self._field(operand, dot)
            case Pipeline():
                return self._pipeline(operand, dot)
            case Word():
                return self._command(Command((operand,)), dot, [])
            case _:
                assert_never(operand)

    def _field(self, operand: Field, dot: Value) -> Value:
        value = dot if operand.base is None else self._operand(operand.base, dot)
        # As in Go, nothing has fields that are nothing, but a nil that a field leads to has none.
        for name in operand.names if value is not None else ():
            value = self._guard(field, value, name)
        return value

    def _variable(self, name: str) -> Value:
        for scope in reversed(self._scopes):
            if name in scope:
                return scope[name]
        raise InvalidTemplate(f"template line {self._line}: undefined variable {name}")

    def _guard(self, function: Callable[..., Result], *arguments: Value | str) -> Result:
        """Call a function of the language; its complaint becomes an error with the line."""
        try:
            return function(*arguments)
        except (ValueProblem, ArithmeticError, ValueError) as error:
            raise InvalidTemplate(f"template line {self._line}: {error}") from error
        except TypeError as error:
            raise InvalidTemplate(f"template line {self._line}: wrong number of arguments") from error
