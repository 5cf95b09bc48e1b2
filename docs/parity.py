"""Write `parity.md`: every route and field of every dialect, from the structs that read them, with each deliberate difference."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from msgspec import inspect

from corral.testing.api import ScriptedEngine
from corral_api.anthropic.app import all_routes as anthropic_routes
from corral_api.metrics.app import all_routes as metrics_routes
from corral_api.ollama.app import all_routes as ollama_routes
from corral_api.openai.app import all_routes as openai_routes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from corral_api.routes import Route

FILE = Path(__file__).parent / "parity.md"

DIALECTS = (
    ("Ollama", ollama_routes),
    ("OpenAI", openai_routes),
    ("Anthropic", anthropic_routes),
    ("Watching", metrics_routes),
)

_COMPATIBLE = ("/v1/chat/completions", "/v1/completions", "/v1/responses", "/v1/messages")
_RERANK = ("/v1/rerank", "/v2/rerank")
_CONTEXT = "any PARAMETER; ours, as in Ollama"
_KEEP = "ours, as in Ollama"
_DEBUG = "ours: return the prompt instead of an answer"

#: What is different from the dialect's own server, by route and field; an empty field is the route as a whole.
NOTES: dict[tuple[str, str], str] = {
    ("/api/chat", ""): (
        "Calls that can't be read are shown as text and reported (Ollama fails or drops them). The stream always ends with `done` "
        "or `error`"
    ),
    ("/api/chat", "messages"): "`arguments` of a call may also be JSON text",
    ("/api/chat", "tools"): "every JSON Schema keyword reaches the template; Ollama drops most of them",
    ("/api/chat", "options"): (
        "a wrong type is a 400 (Ollama: 500); `stop` may be a string; unknown names are reported"
    ),
    ("/api/chat", "keep_alive"): 'a number may be text (`"-1"`); Ollama wants a unit then',
    ("/api/chat", "truncate"): "as Ollama; what was dropped is reported",
    ("/api/chat", "_debug_render_only"): "as Ollama, without loading the model when no tokens must be counted",
    ("/api/generate", ""): "Walks the same road as `/api/chat`: renderer, parser, thinking apart from the answer",
    ("/api/generate", "options"): "as in `/api/chat`",
    ("/api/generate", "keep_alive"): "as in `/api/chat`",
    ("/api/create", "quantize"): "refused: corral does not quantize",
    ("/api/create", "quantization"): "refused: corral does not quantize",
    ("/api/create", "runner"): "ours: which runner loads the model",
    ("/api/create", "renderer"): "an unknown name is an error here; Ollama notices at the first chat",
    ("/api/create", "parser"): "an unknown name is an error here; Ollama notices never",
    ("/api/show", ""): "`renderer` and `parser` are filled; `corral` says why each was chosen and who provides it",
    ("/api/pull", "model"): "also `pypi:`, `hf:` and `file:` references, by plugins",
    ("/api/pull", "insecure"): "without effect, and reported",
    ("/api/push", ""): "Refused with 400: there is no registry of corral's",
    ("/api/version", ""): "`version` is the Ollama version whose API this is, `corral` our own",
    ("/api/blobs/<digest>", ""): "An upload with another digest leaves nothing behind; Ollama keeps it",
    ("/api/me", ""): "Refused with 403, like everything of ollama.com",
    ("/v1/chat/completions", ""): (
        "Arguments of calls stream as they are written (Ollama: whole). An error in the middle is an error event (Ollama: silence). "
        "Reasoning comes as `reasoning_content` and `reasoning`"
    ),
    ("/v1/chat/completions", "messages"): (
        "parts of a turn are joined by newlines (Ollama: one turn per part); `developer` is `system`; images are data URLs"
    ),
    ("/v1/chat/completions", "temperature"): "absent leaves the model's PARAMETER (Ollama's layer: 1.0)",
    ("/v1/chat/completions", "top_p"): "absent leaves the model's PARAMETER (Ollama's layer: 1.0)",
    ("/v1/chat/completions", "n"): "up to 16, answered at the same time, streamed as they come; with `seed`, each has a seed of its own",
    ("/v1/chat/completions", "max_completion_tokens"): "wins over `max_tokens` (Ollama ignores it)",
    ("/v1/chat/completions", "tool_choice"): (
        "`required` and a named function need a parser that can force calls, else 400 (Ollama ignores it)"
    ),
    ("/v1/chat/completions", "response_format"): "`text`, `json_object`, `json_schema`; others are refused (Ollama ignores them)",
    ("/v1/chat/completions", "reasoning_effort"): "`none` is off, `minimal` is low, `xhigh` is max",
    ("/v1/chat/completions", "reasoning"): "`effort` wins over `reasoning_effort`",
    ("/v1/chat/completions", "logit_bias"): "by token id of the model's own tokenizer",
    ("/v1/chat/completions", "chat_template_kwargs"): "ours, as other servers of templates have it: variables for the template",
    ("/v1/chat/completions", "truncate"): "ours; off: a prompt that does not fit is a 400 with both counts",
    ("/v1/completions", ""): "Through the chat template, as Ollama; `raw` is on the native API",
    ("/v1/completions", "prompt"): "text or texts; tokens are refused",
    ("/v1/completions", "logprobs"): "returned (Ollama: not)",
    ("/v1/completions", "best_of"): "more than 1 is refused",
    ("/v1/embeddings", "input"): "text or texts; tokens are refused",
    ("/v1/rerank", ""): (
        "Not OpenAI's: as Jina, llama.cpp and vLLM have it. `relevance_score` is from 0 to 1. A model without a head that ranks is a 400"
    ),
    ("/v1/rerank", "documents"): 'texts, or objects `{"text": ...}`',
    ("/v1/rerank", "top_n"): "0 is all",
    ("/v1/rerank", "truncate"): "ours; off: a document that does not fit is a 400 with both counts; on: its end is cut",
    ("/v2/rerank", ""): "The same, where Cohere's client looks for it",
    ("/v1/models", ""): "`data` is `[]` when there is nothing (Ollama: null); also has the keys of Anthropic's list",
    ("/v1/models/<path:name>", ""): "Names may hold slashes",
    ("/v1/responses", ""): (
        "Stored in memory and continued by `previous_response_id` (Ollama: stateless). Every item is opened and closed, in the order "
        "in which the model wrote them; a cut answer is `incomplete`; text beside calls is kept"
    ),
    ("/v1/responses", "background"): "refused when true",
    ("/v1/responses", "tools"): "functions only; others are refused by name",
    ("/v1/responses", "include"): "read and reported",
    ("/v1/responses", "user"): "read and reported",
    ("/v1/responses", "top_logprobs"): "read and reported",
    ("/v1/responses", "input"): "messages, function calls and their outputs, reasoning; others are refused by name",
    ("/v1/messages", ""): (
        "Input of calls streams as it is written; `ping` and `error` events are sent; `input_tokens` at the start is the real count "
        "(Ollama: a guess); `stop_sequence` is told; blocks keep the order in which the model wrote them"
    ),
    ("/v1/messages", "thinking"): "left out and reported for a model that can't; `budget_tokens` has no effect, and is reported",
    ("/v1/messages", "tools"): "custom tools only; those of Anthropic's servers are refused by name",
    ("/v1/messages", "truncate"): "ours; off: a prompt that does not fit is a 400 with both counts",
    ("/v1/messages/count_tokens", ""): "By the model's own tokenizer (Ollama has no such route)",
    **{(route, "options"): _CONTEXT for route in (*_COMPATIBLE, "/v1/embeddings", *_RERANK, "/v1/messages/count_tokens")},
    **{(route, "keep_alive"): _KEEP for route in (*_COMPATIBLE, "/v1/embeddings", *_RERANK)},
    **{(route, "_debug_render_only"): _DEBUG for route in _COMPATIBLE},
}  # fmt: skip

_HEAD = """\
# Routes and fields

<!-- Written by docs/parity.py; change the program instead. -->

Every route that the first-party plugins answer on, with every field that is read from its body. A field without a remark does
what it does in the dialect's own server. Unknown fields are ignored and reported in `x-corral-ignored`. What is refused is
refused by name.
"""


def text() -> str:
    """Return the page."""
    return "\n".join([_HEAD, *_dialects()]) + "\n"


def _dialects() -> Iterator[str]:
    for name, routes in DIALECTS:
        yield f"## {name}\n"
        for route in routes(ScriptedEngine()):
            yield from _route(route)


def _route(route: Route) -> Iterator[str]:
    yield f"### {route.method} {route.path.replace('path:', '')}\n"
    remark = NOTES.get((route.path, ""))
    yield f"{route.summary}." + (f" {remark}." if remark else "") + "\n"
    if route.takes is not None:
        yield "| field | type | default | in corral |\n|---|---|---|---|"
        yield from (_field(route, field) for field in _fields(route.takes))
        yield ""


def _fields(kind: type[msgspec.Struct]) -> tuple[inspect.Field, ...]:
    described = inspect.type_info(kind)
    assert isinstance(described, inspect.StructType)
    return described.fields


def _field(route: Route, field: inspect.Field) -> str:
    note = NOTES.get((route.path, field.encode_name), "")
    return f"| `{field.encode_name}` | {_type(field.type)} | {_default(field)} | {note} |"


def _default(field: inspect.Field) -> str:
    if field.required:
        return "required"
    return "" if field.default in (msgspec.NODEFAULT, None, "") else f"`{msgspec.json.encode(field.default).decode()}`"


def _type(kind: inspect.Type) -> str:
    match kind:
        case inspect.UnionType():
            return " or ".join(_type(member) for member in kind.types if not isinstance(member, inspect.NoneType))
        case inspect.ListType():
            return f"list of {_type(kind.item_type)}"
        case inspect.LiteralType():
            return " or ".join(f"`{value}`" for value in kind.values)
        case inspect.StructType() | inspect.DictType():
            return "object"
        case inspect.CustomType() | inspect.AnyType():
            return "any"
        case _:
            return type(kind).__name__.removesuffix("Type").lower().replace("str", "text").replace("bool", "yes or no")


if __name__ == "__main__":
    FILE.write_text(text())
