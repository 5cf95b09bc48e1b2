"""Draw the figures that the benchmarks wrote as JSON: throughput against streams, first token against shared words.

python bench/plot.py bench/results
"""

from __future__ import annotations

import argparse
import json
import re
import statistics
from pathlib import Path

import matplotlib as mpl

mpl.use("svg")
from matplotlib import pyplot as plt


def points(path: Path, pattern: str) -> dict[int, tuple[float, float]]:
    """Return both servers' medians by the number that the pattern finds in the name of a case."""
    found = {}
    for row in json.loads(path.read_text())["rows"]:
        if (match := re.fullmatch(pattern, row["case"])) and "peer" in row:
            found[int(match[1])] = (statistics.median(row["corral"]), statistics.median(row["peer"]))
    return dict(sorted(found.items()))


def draw(figures: dict[int, tuple[float, float]], target: Path, *, title: str, x: str, y: str) -> None:
    figure, axes = plt.subplots(figsize=(6, 3.6))
    for index, (name, mark) in enumerate((("corral", "o-"), ("llama-server", "s--"))):
        axes.plot(list(figures), [pair[index] for pair in figures.values()], mark, label=name)
    axes.set(title=title, xlabel=x, ylabel=y, ylim=(0, None))
    axes.set_xticks(list(figures))
    axes.legend()
    axes.grid(alpha=0.3)
    figure.savefig(target, bbox_inches="tight", metadata={"Date": None})
    plt.close(figure)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("results", type=Path)
    folder = parser.parse_args().results
    streams = points(folder / "throughput.json", r"(\d+) streams, whole requests")
    draw(streams, folder / "throughput.svg", title="Chats at once, distinct prompts", x="streams", y="tokens/s")
    shared = points(folder / "prefix.json", r"(\d+) shared words, median first token")
    draw(shared, folder / "prefix.svg", title="8 requests at once with a new common prefix", x="shared words", y="first token, s")


if __name__ == "__main__":
    main()
