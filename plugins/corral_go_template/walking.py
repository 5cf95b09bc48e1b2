"""Look through a parsed template: which variables it names, and where its answer begins."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from corral_go_template.nodes import Action, Call, Field, If, Node, Nodes, Operand, Pipeline, Range, Template, Text, With

if TYPE_CHECKING:
    from collections.abc import Iterator


def walk(nodes: Nodes) -> Iterator[Node]:
    """Yield all nodes, outer ones first."""
    for node in nodes:
        yield node
        if isinstance(node, If | With | Range):
            yield from walk(node.then)
            yield from walk(node.otherwise)


def all_nodes(template: Template) -> Iterator[Node]:
    """Yield all nodes of a template and of those it defines."""
    yield from walk(template.nodes)
    for _, nodes in template.defined:
        yield from walk(nodes)


def names(template: Template) -> frozenset[str]:
    """Return the names of all fields that a template reads."""
    return frozenset(name for node in all_nodes(template) for name in node_names(node))


def node_names(node: Node) -> Iterator[str]:
    """Yield the names of the fields that a node itself reads."""
    if isinstance(node, Action | If | With | Range | Call) and node.pipeline is not None:
        yield from _pipeline_names(node.pipeline)


def _pipeline_names(pipeline: Pipeline) -> Iterator[str]:
    for command in pipeline.commands:
        for part in command.parts:
            yield from _operand_names(part)


def _operand_names(operand: Operand) -> Iterator[str]:
    match operand:
        case Field():
            yield from operand.names
            if operand.base is not None:
                yield from _operand_names(operand.base)
        case Pipeline():
            yield from _pipeline_names(operand)


def cut_after(nodes: Nodes, name: str) -> tuple[Nodes, bool]:
    """Leave out all that follows the first use of a field; return also whether there was one."""
    kept: list[Node] = []
    for node in nodes:
        if isinstance(node, If | With | Range):
            node, found = _cut_block(node, name)
        else:
            found = name in node_names(node)
        kept.append(node)
        if found:
            return tuple(kept), True
    return tuple(kept), False


def _cut_block(node: If | With | Range, name: str) -> tuple[Node, bool]:
    if name in node_names(node):
        return replace(node, then=(), otherwise=()), True
    then, found = cut_after(node.then, name)
    if found:
        return replace(node, then=then, otherwise=()), True
    otherwise, found = cut_after(node.otherwise, name)
    return replace(node, then=then, otherwise=otherwise), found


def texts(nodes: Nodes) -> Iterator[str]:
    """Yield the texts of nodes in their order, those of blocks too."""
    for node in walk(nodes):
        if isinstance(node, Text):
            yield node.text
