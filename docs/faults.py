"""Write `faults.md`: every fault that corral is prepared for, and the tests that cause it."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ROOT = Path(__file__).parents[1]
FILE = ROOT / "docs" / "faults.md"

_HEAD = """# Faults

<!-- Written by docs/faults.py; change the tests instead. -->

What can go wrong around corral, by number, and the tests that make it go wrong. A test names the numbers in its docstring, in a
comment or in the id of a case."""

GROUPS: Mapping[str, Mapping[int, str]] = {
    "Plugins": {
        1: "its import fails",
        2: "it has a syntax error",
        3: "its import hangs or ends the process",
        4: "its import prints a megabyte",
        5: "a hook raises, in any place among others",
        6: "a hook returns something else than it promised",
        7: "a hook hangs",
        8: "two distributions use one entry-point name",
        9: "it claims a name that a built-in plugin offers",
        10: "it implements a hook that does not exist",
        11: "a hook takes too many or too few arguments",
        12: "it was written for another version of the API",
        13: "an older pluggy is installed",
        14: "it is uninstalled while a model needs it",
        15: "it starts threads that never stop",
        16: "there are 200 of them",
    },
    "Discovery": {
        17: "a probe crashes",
        18: "a probe hangs",
        19: "a probe answers with garbage, half an answer or far too much",
        20: "the vendor's tool prints words in the place of numbers",
        21: "there is no device at first, and one later",
        22: "a device goes away at work",
        23: "memory that can't be: more free than there is, negative, unknown",
        24: "two plugins report one device",
        25: "the devices change their order",
        26: "visibility variables hold UUIDs, partitions or nothing",
        27: "files of the kernel can't be read",
        28: "a container has less memory than its host",
    },
    "Start of a runner": {
        29: "its program is missing or no program",
        30: "it ends before it is ready, as if all were well",
        31: "it runs out of memory",
        32: "it never gets ready and says nothing",
        33: "it never gets ready and says a lot",
        34: "it gets ready and dies before its first request",
        35: "its port is taken",
        36: "what answers speaks another language",
        37: "it says that it is ready, and that something is wrong",
        38: "it leaves a process behind and ends",
    },
    "Stream of a runner": {
        39: "it hangs in the middle of an answer",
        40: "it is killed in the middle of an answer",
        41: "it is stopped (SIGSTOP)",
        42: "it speaks one byte at a time",
        43: "one message is enormous",
        44: "characters are cut anywhere, or are none",
        45: "it fails or hangs up in the middle of an answer",
        46: "its last message has no end",
        47: "numbers that are none, and keys that come twice",
        48: "it goes on after it said that it is done",
        49: "it floods its error output",
    },
    "Life of the server": {
        50: "it is killed, and its runners shall not live on",
        51: "it is told to stop while it answers",
        52: "two of them use one store",
        53: "a plugin blocks its event loop",
        54: "no file descriptor is left",
        55: "no process can be started",
        56: "the clock jumps",
    },
    "Scheduler": {
        57: "a client leaves in any phase of its request",
        58: "too many requests wait",
        59: "a runner that is busy, loading or stopping shall be evicted",
        60: "keep-alives of zero, for ever, or that end just now",
        61: "a hundred requests for one model while it loads",
        62: "two models that do not fit together take turns",
        63: "memory runs out while a model loads",
        64: "memory runs out in an answer",
        65: "a loaded model is deleted or replaced",
    },
    "Prompts and answers": {
        66: "an answer is cut into pieces anywhere",
        67: "an answer ends anywhere",
        68: "tags in prose and in code, where they mean nothing",
        69: "tags are missing, nested or repeated; functions are unknown or nameless",
        70: "odd characters in the arguments of a call",
        71: "ten megabytes of arguments",
        72: "text that makes regular expressions run for ever",
        73: "a thought is begun in the prompt, never, or twice",
        74: "a stop string inside of a tag",
        75: "a template loops, grows, recurses or tries to escape",
        76: "a request brings a template of its own",
    },
    "Model files, Modelfiles and registries": {
        77: "a tensor beyond the end of its file",
        78: "an alignment that makes no sense",
        79: "counts and lengths beyond all bounds",
        80: "a key of the wrong type",
        81: "FROM names a device, a pipe, a loop or a folder",
        82: "a Modelfile that is huge, unfinished, or refers to itself",
        83: "a blob that is not what its digest says",
        84: "a digest that is a path",
        85: "a bomb of compressed bytes",
        86: "a redirect to another host",
        87: "a token service that is not to be trusted",
        88: "a name with an address, a password or a port",
        89: "a host whose address changes to this machine's",
        90: "a download that resumes with the wrong bytes",
        91: "the disk is full, at each write",
        92: "a kill between two steps of a write",
        93: "a manifest with layers missing, doubled or out of range",
        94: "pull, delete and prune of a shared blob at once",
    },
    "HTTP": {
        95: "a hostile Host or Origin",
        96: "no key, or a wrong one, on each route",
        97: "bodies, headers and clients that want to wear the server out",
        98: "enormous numbers in a request",
        99: "whatever the published document allows",
        100: "JSON with broken text or keys that come twice",
    },
    "Clusters": {
        101: "a node is lost in the middle of an answer",
        102: "a lost node passes for alive",
        103: "a killed worker leaves a grandchild",
        104: "a partition, with a scheduler on each side",
        105: "a node with plugins of another version",
    },
}

#: Why nothing of the kind can happen here, or why it is not tested.
REASONS: Mapping[int, str] = {
    102: "there are no nodes: a server watches its own children, and the system tells it of their end (F38, F40); a lost RPC server is F22",
    104: "there is one scheduler for each server, and a store has one lock (F52)",
    105: "what lends devices over RPC runs llama.cpp's own server, without plugins",
}

_NUMBER = re.compile(r"\bF(\d{2,3})\b")


def text() -> str:
    """Return the page."""
    return "\n".join([_HEAD, *_groups(citations())])


def citations() -> Mapping[int, list[str]]:
    """Return the tests that name each number."""
    found: dict[int, list[str]] = defaultdict(list)
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        for name, number in _cited(path):
            test = f"{path.relative_to(ROOT / 'tests')}: {name}"
            if test not in found[number]:
                found[number].append(test)
    return found


def _cited(path: Path) -> Iterator[tuple[str, int]]:
    """Yield each test with each number that it names, in the order of the file."""
    source = path.read_text()
    comments = {
        token.start[0]: token.string for token in tokenize.generate_tokens(io.StringIO(source).readline) if token.type == tokenize.COMMENT
    }
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
            first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
            remarks = [comments.get(line, "") for line in range(first, (node.end_lineno or first) + 1)]
            for number in _NUMBER.findall(" ".join([ast.get_docstring(node) or "", *_ids(node), *remarks])):
                yield node.name, int(number)


def _ids(node: ast.AST) -> Iterator[str]:
    for inner in ast.walk(node):
        if isinstance(inner, ast.keyword) and inner.arg == "id" and isinstance(inner.value, ast.Constant):
            yield str(inner.value.value)


def _groups(tests: Mapping[int, list[str]]) -> Iterator[str]:
    for title, faults in GROUPS.items():
        yield f"\n## {title}\n\n| | what goes wrong | tests, or why there is none |\n|---|---|---|"
        for number, fault in faults.items():
            proof = "<br>".join(f"`{test}`" for test in tests.get(number, ())) or REASONS.get(number, "**none**")
            yield f"| F{number:02} | {fault} | {proof} |"
    yield ""


if __name__ == "__main__":
    FILE.write_text(text())
