"""Run every benchmark, one after the other, into a folder of JSON files, and draw the plots.

python bench/all.py MODEL.gguf [FOLDER] [--pairs 5]
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
BESIDE_A_PEER = ("throughput", "steady", "prefix", "speculation", "chat_turns", "startup", "ceiling", "neighbours")
ALONE = ("overhead", "parsers")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("folder", type=Path, nargs="?", default=HERE / "results")
    parser.add_argument("--pairs", type=int, default=5)
    asked = parser.parse_args()
    for name in BESIDE_A_PEER:
        run(name, str(asked.model), "--pairs", str(asked.pairs), "--json", str(asked.folder / f"{name}.json"))
    for name in ALONE:
        run(name, "--json", str(asked.folder / f"{name}.json"))
    run("plot", str(asked.folder))


def run(name: str, *arguments: str) -> None:
    """Run one script; one that fails leaves the others their turn."""
    print(f"\n== {name}", flush=True)
    if status := subprocess.run([sys.executable, HERE / f"{name}.py", *arguments], check=False).returncode:
        print(f"{name} failed with {status}", file=sys.stderr)


if __name__ == "__main__":
    main()
