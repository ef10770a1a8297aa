"""The command line: it speaks HTTP through terrace.client, and starts at once because heavy imports come late."""

from __future__ import annotations

from typing import NoReturn


def main() -> NoReturn:
    """Runs the command line of this process and ends it with the documented exit code."""
    import sys

    from terrace.cli.root import main as run

    sys.exit(run())
