"""Measure every registered parser on plain text, in one piece and in small ones; one process, one thread.

python bench/parsers.py [--json FILE]
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import TYPE_CHECKING

from tables import Table

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
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--json", type=Path, help="write the figures to this file")
    given = options.parse_args()
    host = PluginHost.load()
    text = LINE * (10_000_000 // len(LINE))
    blocks = [text[at : at + 4096] for at in range(0, len(text), 4096)]
    words = [f"{word} " for word in text[:2_000_000].split(" ")]
    table = Table("10 MB of plain text through each parser: in one piece, in pieces of 4 KiB; and word by word")
    for name in sorted(host.parsers()):
        whole, block, word = (seconds(host, name, pieces) for pieces in ([text], blocks, words))
        rates = {"mb_per_s": len(text) / whole / 1e6, "mb_per_s_in_4k": len(text) / block / 1e6}
        table.figures(name, **rates, us_per_word=word / len(words) * 1e6)
    table.write(given)


if __name__ == "__main__":
    main()
