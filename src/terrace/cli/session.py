"""What one run of the command line knows: which server and project, how to show things. Flags > TERRACE_* >
files."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from terrace.cli.target.reach import PROJECT_FILE, PROJECT_KEYS, USER_KEYS, Reach
from terrace.errors import UserError

if TYPE_CHECKING:
    from terrace.client import Client

__all__ = ["OUTPUTS", "PROJECT_FILE", "PROJECT_KEYS", "USER_KEYS", "Session"]

OUTPUTS = ("text", "wide", "json", "yaml", "name")


class Session:
    """The settings of this run. Flags are put into `flags` as they are read; the rest is looked up when it is
    asked for; `reach` knows where it goes."""

    def __init__(self, environ: Mapping[str, str] = os.environ, folder: str | None = None) -> None:
        self.flags: dict[str, Any] = {}
        self.reach = Reach(self.flags, environ, folder)
        self._environ = environ
        self._client: Client | None = None

    @property
    def output(self) -> str:
        """text, wide, json, yaml or name."""
        chosen = self.flags.get("output") or self.reach.setting("output") or "text"
        if chosen not in OUTPUTS:
            raise UserError(
                f'there is no output "{chosen}"', code="bad-setting", hint=f"one of {', '.join(OUTPUTS)}"
            )
        return str(chosen)

    @property
    def project(self) -> str:
        """The project to work in."""
        return self.reach.project

    @property
    def stack(self) -> str:
        """The stack of this folder, from its project file; "" when none is named."""
        return self.reach.setting("stack")

    @property
    def debug(self) -> bool:
        """Whether unexpected errors show their trace."""
        return bool(self.flags.get("debug") or self._environ.get("TERRACE_DEBUG"))

    def color(self, stream: Any) -> bool:
        """Whether `stream` takes colours: a terminal, and nobody said no."""
        plain = (
            self.flags.get("no_color") or self._environ.get("NO_COLOR") or self._environ.get("TERM") == "dumb"
        )
        return not plain and stream.isatty()

    def lively(self) -> bool:
        """Whether standard error is a terminal on which a tree can be drawn over and over."""
        return sys.stderr.isatty() and self._environ.get("TERM", "") not in ("dumb", "")

    def client(self) -> Client:
        """The client, which starts the local server if no other is named and it does not run."""
        if self._client is None:
            from terrace.client import Client

            self._client = Client(self.address(start=True), project=self.project, token=self.reach.token())
        return self._client

    def address(self, *, start: bool) -> Any:
        """Where the server is. `start`: the local one is started when it does not run."""
        found = self.reach.address()
        if found is not None:
            return found
        from terrace.client import local

        return local.ensure(self.say) if start else local.locate().address

    def say(self, text: str) -> None:
        """A line for the person at the terminal, on standard error."""
        print(f"terrace: {text}", file=sys.stderr, flush=True)

    def close(self) -> None:
        """Lets go of the connection."""
        if self._client is not None:
            self._client.close()
            self._client = None
