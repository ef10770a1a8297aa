"""What one run of the command line knows: which server and project, how to show things. Flags > TERRACE_* >
files."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from terrace.errors import UserError

if TYPE_CHECKING:
    from terrace.client import Client

OUTPUTS = ("text", "wide", "json", "yaml", "name")
PROJECT_FILE = ".terrace.toml"
PROJECT_KEYS = ("project", "stack", "output")
USER_KEYS = ("server", "project", "output")


class Session:
    """The settings of this run. Flags are put into `flags` as they are read; the rest is looked up when it is
    asked for."""

    def __init__(self, environ: Mapping[str, str] = os.environ, folder: str | None = None) -> None:
        self.flags: dict[str, Any] = {}
        self._environ = environ
        self._folder = folder
        self._files: dict[str, str] | None = None
        self._client: Client | None = None

    @property
    def output(self) -> str:
        """text, wide, json, yaml or name."""
        chosen = self.flags.get("output") or self._setting("output") or "text"
        if chosen not in OUTPUTS:
            raise UserError(
                f'there is no output "{chosen}"', code="bad-setting", hint=f"one of {', '.join(OUTPUTS)}"
            )
        return str(chosen)

    @property
    def project(self) -> str:
        """The project to work in."""
        return self.flags.get("project") or self._setting("project") or "default"

    @property
    def stack(self) -> str:
        """The stack of this folder, from its project file; "" when none is named."""
        return self._setting("stack")

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

            self._client = Client(self.address(start=True), project=self.project, token=self._token())
        return self._client

    def address(self, *, start: bool) -> Any:
        """Where the server is. `start`: the local one is started when it does not run."""
        from terrace.client.address import parse_address

        given = self.flags.get("server") or self._setting("server")
        if given:
            return parse_address(given, self._trust())
        from terrace.client import local

        return local.ensure(self.say) if start else local.locate().address

    def _trust(self) -> Any:
        """How an https:// server is known."""
        from terrace.client.access.trust import Trust, parse_fingerprint

        pinned = self._environ.get("TERRACE_FINGERPRINT")
        return Trust(parse_fingerprint(pinned) if pinned else "", self._environ.get("TERRACE_CA_FILE") or "")

    def say(self, text: str) -> None:
        """A line for the person at the terminal, on standard error."""
        print(f"terrace: {text}", file=sys.stderr, flush=True)

    def close(self) -> None:
        """Lets go of the connection."""
        if self._client is not None:
            self._client.close()
            self._client = None

    def _token(self) -> str:
        """What says who asks; "" for the owner of a local server."""
        file = self.flags.get("token_file") or self._environ.get("TERRACE_TOKEN_FILE")
        if not file:
            return ""
        from terrace.client.access.token import read_token

        return read_token(file)

    def _setting(self, name: str) -> str:
        from_environment = self._environ.get(f"TERRACE_{name.upper()}")
        if from_environment:
            return from_environment
        if self._files is None:
            self._files = {**self._user_file(), **self._project_file()}
        return self._files.get(name, "")

    def _user_file(self) -> dict[str, str]:
        home = self._environ.get("XDG_CONFIG_HOME") or os.path.join(self._environ.get("HOME", "/"), ".config")
        return read_settings(os.path.join(home, "terrace", "config.toml"), USER_KEYS)

    def _project_file(self) -> dict[str, str]:
        """The nearest .terrace.toml from here upwards. It cannot name a server: it may be somebody else's."""
        folder, below = self._folder or os.getcwd(), ""
        while folder != below:
            file = os.path.join(folder, PROJECT_FILE)
            if os.path.isfile(file):
                return read_settings(file, PROJECT_KEYS)
            folder, below = os.path.dirname(folder), folder
        return {}


def read_settings(file: str, keys: tuple[str, ...]) -> dict[str, str]:
    """The settings in a TOML file, {} when there is none. UserError for what is not text, not known, or not
    TOML."""
    try:
        with open(file, encoding="utf-8") as opened:
            text = opened.read()
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{file} cannot be read ({error})", code="bad-setting") from error
    import tomllib

    try:
        found = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UserError(f"{file} is not TOML: {error}", code="bad-setting") from error
    for key, value in found.items():
        if key not in keys or not isinstance(value, str):
            wrong = "is not known" if key not in keys else "must be text"
            raise UserError(
                f'{file}: "{key}" {wrong}', code="bad-setting", hint=f"known are {', '.join(keys)}"
            )
    return found
