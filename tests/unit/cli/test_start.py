"""It starts at once: what is heavy is imported when it is needed, and not before."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = (
    "asyncio",
    "msgspec",
    "rich",
    "yaml",
    "http.client",
    "email",
    "ssl",
    "subprocess",
    "importlib.metadata",
)
NEVER = ("httpx", "pydantic", "fastapi", "uvicorn", "h11", "terrace.services", "terrace.languages")

SCRIPT = """
import sys
from terrace.main import cli
sys.argv = ["terrace", *{words!r}]
try:
    cli()
except SystemExit as end:
    assert not end.code, end.code
loaded = [name for name in {forbidden!r} if name in sys.modules]
sys.exit(f"imported: {{loaded}}" if loaded else 0)
"""


@pytest.mark.parametrize(
    ("words", "forbidden"),
    [
        (["--help"], (*HEAVY, *NEVER, "click", "terrace.client")),
        (["--version"], (*HEAVY, *NEVER, "click", "terrace.client")),
        (["up", "--help"], (*HEAVY, *NEVER, "terrace.client")),
        (["status", "--help"], (*HEAVY, *NEVER, "terrace.client")),
        (["server", "--help"], (*HEAVY, *NEVER, "terrace.client")),
    ],
)
def test_help_imports_nothing_heavy(words: list[str], forbidden: tuple[str, ...]) -> None:
    script = SCRIPT.format(words=words, forbidden=forbidden)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_every_command_of_the_table_can_be_loaded_and_says_what_it_does() -> None:
    import click

    from terrace.cli.commands import root
    from terrace.cli.table import COMMANDS

    context = click.Context(root)
    for name in COMMANDS:
        command = root.get_command(context, name)
        assert command is not None
        assert command.help, name
        verbs = command.commands.values() if isinstance(command, click.Group) else [command]
        for verb in verbs:
            assert verb.help, (name, verb.name)
            assert verb.epilog, f"{name} {verb.name} has no example"
