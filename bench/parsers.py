"""Measure every registered parser: plain text in large and small pieces, and a call whose argument is long text.

    python bench/parsers.py

Prints megabytes a second and microseconds a word; one process, one thread.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from corral.conversation import Conversation, Message, Prompt
from corral.plugins import PluginHost
from corral.testing import model_spec

if TYPE_CHECKING:
    from collections.abc import Iterable

LINE = "The quick brown fox jumps over the lazy dog, again and again. " * 20 + "\n"
TOOL = {"type": "function", "function": {"name": "write", "parameters": {"type": "object", "properties": {"text": {"type": "string"}}}}}
CONVERSATION = Conversation(messages=(Message(role="user", content="Hi"),), tools=(TOOL,))
#: Where the text of an answer begins, for formats that want a header first.
SUFFIXES = {"harmony": "<|channel|>final<|message|>"}


def seconds(host: PluginHost, name: str, pieces: Iterable[str]) -> float:
    """Return the CPU time of parsing one answer."""
    prompt = Prompt(segments=(), suffix=SUFFIXES.get(name, ""))
    parser = host.parse_output(model_spec(parser=name), CONVERSATION, prompt)
    started = time.process_time()
    for piece in pieces:
        parser.feed(piece)
    parser.finish("stop")
    return time.process_time() - started


def main() -> None:
    """Print one row for each parser."""
    host = PluginHost.load()
    text = LINE * (10_000_000 // len(LINE))
    blocks = [text[at : at + 4096] for at in range(0, len(text), 4096)]
    words = [f"{word} " for word in text[:2_000_000].split(" ")]
    print(f"{'parser':24}{'one piece':>14}{'4 KiB pieces':>16}{'a word a piece':>18}")
    for name in sorted(host.parsers()):
        whole, block, word = (seconds(host, name, pieces) for pieces in ([text], blocks, words))
        print(f"{name:24}{len(text) / whole / 1e6:9.0f} MB/s{len(text) / block / 1e6:11.0f} MB/s{word / len(words) * 1e6:12.2f} us/word")


if __name__ == "__main__":
    main()
