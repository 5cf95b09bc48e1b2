"""Come in from the command line."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command that the arguments name, and leave with its exit code."""
    from corral.cli.failures import run
    from corral.cli.root import corral

    sys.exit(run(corral))
