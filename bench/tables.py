"""Compare two servers' figures: medians, spread, and the ratio of the medians."""

from __future__ import annotations

import json
import platform
import statistics
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Mapping, Sequence


class Table:
    """Rows of one benchmark. A ratio above 1 always means that corral is better."""

    def __init__(self, title: str) -> None:
        self.title = title
        self.rows: list[dict[str, object]] = []
        print(title)

    def add(self, case: str, ours: Sequence[float], theirs: Sequence[float], *, more_is_better: bool, unit: str) -> float:
        """Add a row of paired figures and return the ratio of the medians."""
        mine, others = statistics.median(ours), statistics.median(theirs)
        pairs = [(a / b if more_is_better else b / a) for a, b in zip(ours, theirs, strict=True)]
        ratio = mine / others if more_is_better else others / mine
        if not any("ratio" in row for row in self.rows):
            print(f"{'case':44} {'corral':>16} {'peer':>16} {'ratio':>7} {'worst..best pair':>17}")
        print(f"{case:44} {mine:9.3g} {unit:>6} {others:9.3g} {unit:>6} {ratio:6.2f}x {min(pairs):7.2f} ..{max(pairs):6.2f}", flush=True)
        self.rows.append({"case": case, "unit": unit, "corral": list(ours), "peer": list(theirs), "ratio": ratio, "pairs": pairs})
        return ratio

    def note(self, case: str, value: object) -> None:
        """Add a figure that has no peer."""
        self.figures(case, value=value)

    def figures(self, case: str, **values: object) -> None:
        """Add several figures that have no peer, each by its name and unit."""
        shown = [f"{value:8.4g}" if isinstance(value, float) else str(value) for value in values.values()]
        names = ["" if name == "value" else f" {name}" for name in values]
        print(f"{case:44} {'  '.join(map(''.join, zip(shown, names, strict=True)))}", flush=True)
        self.rows.append({"case": case, **values})

    def write(self, options: Namespace) -> None:
        """Write the rows as JSON when that was asked for."""
        if options.json:
            options.json.parent.mkdir(parents=True, exist_ok=True)
            options.json.write_text(json.dumps({"title": self.title, "machine": machine(), "rows": self.rows}, indent=1) + "\n")


def machine() -> Mapping[str, object]:
    packages = ("corral", "llama-cpp-python", "xllamacpp", "numpy")
    return {
        "system": platform.platform(),
        "python": platform.python_version(),
        "processor": _processor(),
        "versions": {name: _version(name) for name in packages},
    }


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


def _processor() -> str:
    with Path("/proc/cpuinfo").open(encoding="utf-8") as lines:
        return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.processor())
