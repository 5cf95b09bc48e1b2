"""Run pip in a process that ends with the one that fetches, even when that is killed."""

from __future__ import annotations

import runpy
import sys

from corral.workers.child import die_with


def main() -> None:
    """Run pip with the arguments that follow the parent's process id."""
    script, parent, *arguments = sys.argv
    sys.argv = [script, *arguments]
    die_with(int(parent))
    runpy.run_module("pip", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
