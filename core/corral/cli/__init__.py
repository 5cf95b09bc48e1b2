"""Come in from the command line."""

from __future__ import annotations


def main() -> None:
    """Run the command that the arguments name, and leave with its exit code."""
    from corral.cli.failures import run
    from corral.cli.leaving import leave
    from corral.cli.root import corral

    leave(run(corral))
