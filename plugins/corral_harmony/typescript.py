"""Show tools as TypeScript declarations, byte for byte as OpenAI's own library does, its odd corners included."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from corral.formats import function_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from corral.conversation import Json, JsonObject
    from corral_harmony.names import Names


def namespace(tools: Iterable[JsonObject], names: Names) -> str:
    """Return the block of function tools."""
    declarations = "".join(f"{_declaration(function_of(tool), names)}\n\n" for tool in tools)
    return f"namespace functions {{\n\n{declarations}}} // namespace functions"


def _declaration(function: JsonObject, names: Names) -> str:
    comment = "".join(f"// {line}\n" for line in str(function.get("description") or "").splitlines())
    parameters = function.get("parameters")
    taken = f"_: {_type(parameters, '')}" if isinstance(parameters, dict) else ""
    return f"{comment}type {names.identifier(str(function.get('name', '')))} = ({taken}) => any;"


def _type(schema: JsonObject, indent: str) -> str:
    if isinstance(variants := schema.get("oneOf"), list):
        return "".join(f"\n{indent} | {_inner_variant(variant, indent)}" for variant in _objects(variants))
    kind = schema.get("type")
    match kind:
        case list():
            names = [_scalar(name) for name in kind if isinstance(name, str)]
            return " | ".join(names) or "any"
        case "object":
            return _object(schema, indent)
        case "array":
            items = schema.get("items")
            return f"{_type(items, indent)}[]" if isinstance(items, dict) else "Array<any>"
        case "string":
            words = [f'"{word}"' for word in _list(schema.get("enum")) if isinstance(word, str)]
            return " | ".join(words) or "string"
        case "number" | "integer" | "boolean":
            return _scalar(kind)
        case _:
            return "any"


def _object(schema: JsonObject, indent: str) -> str:
    comment = _comment(schema.get("description"), indent)
    properties = schema.get("properties")
    required = _list(schema.get("required"))
    members = properties.items() if isinstance(properties, dict) else ()
    body = "".join(
        "".join(_member(key, value if isinstance(value, dict) else {}, indent, is_required=key in required)) for key, value in members
    )
    return f"{comment}{{\n{body}{indent}}}"


def _member(key: str, schema: JsonObject, indent: str, *, is_required: bool) -> Iterator[str]:
    variants = schema.get("oneOf")
    mark = "" if is_required else "?"
    if isinstance(title := schema.get("title"), str):
        yield f"{indent}// {title}\n{indent}//\n"
    if not isinstance(variants, list):
        yield _comment(schema.get("description"), indent)
    yield _examples(schema, indent)
    if isinstance(variants, list):
        yield from _union(f"{key}{mark}", schema, list(_objects(variants)), indent)
        return
    default = f" // default: {_default(schema)}" if "default" in schema else ""
    yield f"{indent}{key}{mark}: {_nullable(schema, _type(schema, indent + '    '))},{default}\n"


def _union(head: str, schema: JsonObject, variants: list[JsonObject], indent: str) -> Iterator[str]:
    """Show a choice of types, one a line; the description is shown once when the first type repeats it."""
    description = schema.get("description")
    is_above = bool(isinstance(description, str) and not (variants and variants[0].get("description") == description))
    if is_above:
        yield _comment(description, indent)
    if "default" in schema:
        yield f"{indent}// default: {_default(schema)}\n"
    yield f"{indent}{head}:\n"
    lines = []
    for index, variant in enumerate(variants):
        own = variant.get("description")
        shown = isinstance(own, str) and own != description and not (index == 0 and is_above)
        lines.append(f"{indent} | {_variant(variant, indent, with_description=shown)}\n")
    yield f"{''.join(lines)}{indent},\n"


def _variant(schema: JsonObject, indent: str, *, with_description: bool) -> str:
    """Show one of the types of a parameter."""
    return _with_notes(schema, indent, _default(schema) if "default" in schema else None, with_description=with_description)


def _inner_variant(schema: JsonObject, indent: str) -> str:
    """Show one of several types inside another type; there the library quotes the default of an enum too."""
    default = _default(schema) if "default" in schema else None
    if default is not None and _list(schema.get("enum")):
        default = _json(schema["default"])
    return _with_notes(schema, indent, default, with_description=True)


def _with_notes(schema: JsonObject, indent: str, default: str | None, *, with_description: bool) -> str:
    description = schema.get("description")
    notes = [description] if with_description and isinstance(description, str) else []
    if default is not None:
        notes.append(f"default: {default}")
    text = _nullable(schema, _type(schema, indent + "   "))
    return f"{text} // {' '.join(notes)}" if notes else text


def _default(schema: JsonObject) -> str:
    value = schema["default"]
    if isinstance(value, str):
        return value if _list(schema.get("enum")) else f'"{value}"'
    return _json(value)


def _json(value: Json) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _examples(schema: JsonObject, indent: str) -> str:
    examples = _list(schema.get("examples"))
    lines = [f'{indent}// - "{example}"\n' for example in examples if isinstance(example, str)]
    return f"{indent}// Examples:\n{''.join(lines)}" if examples else ""


def _nullable(schema: JsonObject, text: str) -> str:
    return f"{text} | null" if schema.get("nullable") is True and "null" not in text else text


def _comment(text: Json, indent: str) -> str:
    return f"{indent}// {text}\n" if isinstance(text, str) else ""


def _scalar(name: str) -> str:
    return "number" if name == "integer" else name


def _list(value: Json) -> list[Json]:
    return value if isinstance(value, list) else []


def _objects(values: Iterable[Json]) -> Iterator[JsonObject]:
    return (value if isinstance(value, dict) else {} for value in values)
