"""Parse a Go template."""

from __future__ import annotations

from typing import Final

from corral.errors import InvalidTemplate
from corral_go_template.lexer import Kind, Token, tokens
from corral_go_template.literals import number, unquote
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

#: Blocks and parentheses nested deeper than this are nobody's prompt.
MAX_DEPTH: Final = 100

_CONSTANTS: Final = {"true": Constant(value=True), "false": Constant(value=False), "nil": Constant(value=None)}
_BLOCKS: Final[dict[str, type[If | With | Range]]] = {"if": If, "with": With, "range": Range}


def parse(source: str) -> Template:
    """Return the parsed template; raises InvalidTemplate with the line of the mistake."""
    return _Parser(source).template()


class _Parser:
    """Reads tokens from the front; blocks end at a keyword that the caller waits for."""

    def __init__(self, source: str) -> None:
        self._tokens = [*tokens(source)]
        self._at = 0
        self._depth = 0
        self._loops = 0
        self._defined: list[tuple[str, Nodes]] = []

    def template(self) -> Template:
        nodes, _ = self._nodes(ends=())
        return Template(nodes, tuple(self._defined))

    def _nodes(self, ends: tuple[str, ...]) -> tuple[Nodes, str]:
        """Read nodes up to one of the keywords, or the end of the template; return the keyword too."""
        self._deepen()
        nodes: list[Node] = []
        while (token := self._peek()) is not None:
            self._at += 1
            match token.kind:
                case Kind.TEXT:
                    nodes.append(Text(token.text))
                case Kind.OPEN:
                    keyword = self._keyword()
                    if keyword in ends:
                        self._depth -= 1
                        return tuple(nodes), keyword
                    nodes += self._action(keyword)
                case _:
                    continue
        if ends:
            raise self._mistake("a block is not closed; write {{ end }}")
        self._depth -= 1
        return tuple(nodes), ""

    def _action(self, keyword: str) -> list[Node]:
        match keyword:
            case "if" | "with" | "range":
                return [self._block(keyword)]
            case "define":
                self._define()
                return []
            case "block":
                return [self._define(called=True)]
            case "template":
                return [self._call()]
            case "break" | "continue":
                return [self._jump(keyword)]
            case "end" | "else":
                raise self._mistake(f"{{{{ {keyword} }}}} without a block")
            case _:
                return self._value()

    def _value(self) -> list[Node]:
        pipeline = self._pipeline()
        self._close()
        return [Action(pipeline)]

    def _block(self, keyword: str) -> If | With | Range:
        """Read a block from behind its keyword to its end; `else if` and `else with` nest one in the other."""
        pipeline = self._pipeline()
        self._close()
        self._loops += keyword == "range"
        then, ending = self._nodes(ends=("else", "end"))
        self._loops -= keyword == "range"
        otherwise: Nodes = ()
        if ending == "else":
            chained = self._keyword()
            if chained in ("if", "with"):
                otherwise = (self._block(chained),)
            else:
                self._close()
                otherwise, _ = self._nodes(ends=("end",))
                self._close()
        else:
            self._close()
        return _BLOCKS[keyword](pipeline, then, otherwise)

    def _define(self, *, called: bool = False) -> Call:
        """Read `define`, or `block`, which also calls what it defines."""
        token = self._next()
        pipeline = self._pipeline() if called else None
        self._close()
        nodes, _ = self._nodes(ends=("end",))
        self._close()
        name = self._name(token)
        self._defined.append((name, nodes))
        return Call(name, pipeline, token.line)

    def _call(self) -> Call:
        token = self._next()
        name = self._name(token)
        following = self._skip_space()
        pipeline = self._pipeline() if following and following.kind is not Kind.CLOSE else None
        self._close()
        return Call(name, pipeline, token.line)

    def _jump(self, keyword: str) -> Node:
        if not self._loops:
            raise self._mistake(f"{{{{ {keyword} }}}} outside of {{{{ range }}}}")
        self._close()
        return Break() if keyword == "break" else Continue()

    def _pipeline(self) -> Pipeline:
        self._deepen()
        line = self._line()
        variables, declares = self._declaration()
        commands = [self._command()]
        while self._accept("|"):
            commands.append(self._command())
        self._depth -= 1
        return Pipeline(tuple(commands), line, variables, declares)

    def _declaration(self) -> tuple[tuple[str, ...], bool]:
        """Read `$a, $b :=` or `$a =`, if one stands here."""
        start = self._at
        names: list[str] = []
        while (token := self._skip_space()) is not None and token.kind is Kind.VARIABLE:
            self._at += 1
            names.append(token.text)
            if not self._accept(","):
                break
        for sign in (":=", "="):
            if names and self._accept(sign):
                return tuple(names), sign == ":="
        self._at = start
        return (), False

    def _command(self) -> Command:
        parts: list[Operand] = []
        while (token := self._skip_space()) is not None and token.kind is not Kind.CLOSE and token.text not in ("|", ")", ",", "=", ":="):
            parts.append(self._operand())
        if not parts:
            raise self._mistake("a value is missing")
        return Command(tuple(parts))

    def _operand(self) -> Operand:
        token = self._next()
        match token.kind:
            case Kind.FIELD:
                return Field((token.text[1:], *self._chain()))
            case Kind.DOT:
                return Field(())
            case Kind.VARIABLE:
                return self._with_chain(Variable(token.text))
            case Kind.WORD:
                return _CONSTANTS.get(token.text) or Word(token.text)
            case Kind.STRING:
                text = unquote(token)
                return Constant(ord(text[0]) if token.text[0] == "'" else text)
            case Kind.NUMBER:
                return Constant(number(token))
            case Kind.PUNCTUATION if token.text == "(":
                inner = self._pipeline()
                if not self._accept(")"):
                    raise self._mistake("a parenthesis is not closed")
                return self._with_chain(inner)
            case _:
                self._at -= 1
                raise self._mistake(f"unexpected {token.text!r}")

    def _with_chain(self, base: Variable | Pipeline) -> Operand:
        names = self._chain()
        return Field(names, base) if names else base

    def _chain(self) -> tuple[str, ...]:
        """Read the fields that follow without a space."""
        names: list[str] = []
        while (token := self._peek()) is not None and token.kind is Kind.FIELD:
            self._at += 1
            names.append(token.text[1:])
        return tuple(names)

    def _name(self, token: Token) -> str:
        if token.kind is not Kind.STRING:
            raise self._mistake("a template's name is a string")
        return unquote(token)

    def _keyword(self) -> str:
        """Read a keyword, if one stands here."""
        token = self._skip_space()
        words = ("if", "with", "range", "define", "block", "template", "break", "continue", "end", "else")
        if token is None or token.kind is not Kind.WORD or token.text not in words:
            return ""
        self._at += 1
        return token.text

    def _close(self) -> None:
        token = self._skip_space()
        if token is None or token.kind is not Kind.CLOSE:
            raise self._mistake(f"unexpected {token.text!r}" if token else "unclosed action")
        self._at += 1

    def _accept(self, sign: str) -> bool:
        token = self._skip_space()
        if token is None or token.kind is not Kind.PUNCTUATION or token.text != sign:
            return False
        self._at += 1
        return True

    def _next(self) -> Token:
        token = self._skip_space()
        if token is None:
            raise self._mistake("unclosed action")
        self._at += 1
        return token

    def _skip_space(self) -> Token | None:
        while (token := self._peek()) is not None and token.kind is Kind.SPACE:
            self._at += 1
        return token

    def _peek(self) -> Token | None:
        return self._tokens[self._at] if self._at < len(self._tokens) else None

    def _deepen(self) -> None:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise self._mistake(f"nested deeper than {MAX_DEPTH} blocks")

    def _line(self) -> int:
        token = self._peek() or (self._tokens[-1] if self._tokens else None)
        return token.line if token else 1

    def _mistake(self, message: str) -> InvalidTemplate:
        return InvalidTemplate(f"template line {self._line()}: {message}")
