"""Write `docs/families.md`, which says what each family's renderer was compared with.

After changing a family: `PYTHONPATH=tests/reference python tests/plugins/families/table.py`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from family import Reference, collect

from corral.plugins import PluginHost
from corral.testing import model_spec

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from corral.spec import ParserOffer, RendererOffer

PAGE = Path(__file__).parents[3] / "docs" / "families.md"

#: Compared in tests of their own, or with what the tests can't fetch.
_ELSEWHERE = (
    ("harmony", "the library openai-harmony", "equal"),
    ("qwen3-coder", "Qwen3-Coder.jinja", "equal, except that two phrases are those of the first models"),
    ("qwen3-coder-v2", "Qwen3-Coder.jinja", "equal"),
    ("cogito", "its authors' template, once, outside the tests", "equal"),
    ("functiongemma", "the examples in Google's documentation", "equal; what they leave open is written as Gemma 4 is shown it"),
)
#: Names of Ollama's, and families, that have neither renderer nor parser, and why.
NOT_BUILT = (
    ("glm-ocr", "no reference for its prompts is at hand, and what stands for a picture in them is written down nowhere"),
    ("phi4", "no reference is at hand, and Ollama has no such name; `phi3` writes other turns"),
)
#: Renderers that write what the model's own template says.
_GENERIC = frozenset({"chat-template", "go-template"})

_INTRODUCTION = """\
A renderer writes the prompt, a parser reads the answer; a Modelfile names them with `RENDERER` and `PARSER`, and corral detects them
by the chat template of a GGUF otherwise. Models of other families are rendered by their own template (`chat-template`).

## Renderers

Each renderer is compared, byte for byte, with the reference template of its family over generated conversations
(`pytest -m long tests/plugins/families`). A difference is there on purpose: the reference loses or breaks what a client said."""


_ABSENT = """\
## Not built

A format is not guessed. Every name that Ollama has for a renderer or a parser is above, but for the one that stands here. A GGUF of a
model without a renderer is rendered by its own template (`chat-template`)."""


def page() -> str:
    """Return the text of the page."""
    host = PluginHost.load()
    renderers = [offer for name, offer in sorted(host.renderers().items()) if name not in _GENERIC]
    blocks = [
        "# Model families",
        "<!-- Written by tests/plugins/families/table.py; change the families instead. -->",
        _INTRODUCTION,
        _table(("renderer", "models", "compared with", "result"), _renderer_rows(renderers)),
        "## Parsers",
        _table(("parser", "models", "calls", "thinking", "can be forced"), _parser_rows(host.parsers().values())),
        _ABSENT,
        _table(("name", "why"), ((f"`{name}`", why) for name, why in NOT_BUILT)),
    ]
    return "\n\n".join(blocks) + "\n"


def _renderer_rows(offers: Iterable[RendererOffer]) -> Iterator[tuple[str, ...]]:
    compared = [(case.renderer, case.template, _result(case)) for case in collect(Reference)] + list(_ELSEWHERE)
    for offer in offers:
        rows = [(template, result) for name, template, result in compared if name == offer.name] or [
            ("nothing: none is at hand", "by hand-written prompts only")
        ]
        for template, result in rows:
            yield f"`{offer.name}`", offer.summary, template, result


def _result(case: Reference) -> str:
    return f"equal, except that {case.differs}" if case.differs else "equal"


def _parser_rows(offers: Iterable[ParserOffer]) -> Iterator[tuple[str, ...]]:
    for offer in sorted(offers, key=lambda offer: offer.name):
        support = offer.support_for(model_spec(parser=offer.name))
        if offer.name in _GENERIC:
            yield f"`{offer.name}`", offer.summary, "as its template says", "as its template says", "as its template says"
            continue
        calls = ("in parallel" if support.parallel_tools else "one at a time") if support.tools else "none"
        levels = f" ({', '.join(support.thinking_levels)})" if support.thinking_levels else ""
        yield f"`{offer.name}`", offer.summary, calls, support.thinking + levels, "yes" if support.constrains else "no"


def _table(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [heads, ("---",) * len(heads), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
