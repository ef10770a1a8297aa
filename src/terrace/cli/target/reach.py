"""Which server, whom to trust, as whom, in which project: flags > TERRACE_* > project file > the user's own file."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cached_property
from typing import Any

from terrace.cli.target import contexts
from terrace.cli.target.contexts import Config, Context, read_settings

PROJECT_FILE = ".terrace.toml"
PROJECT_KEYS = ("project", "stack", "output")
USER_KEYS = contexts.SETTINGS


class Reach:
    """What one run of the command line knows of where it goes. `flags` are filled as they are read."""

    def __init__(self, flags: Mapping[str, Any], environ: Mapping[str, str], folder: str | None) -> None:
        self._flags = flags
        self._environ = environ
        self._folder = folder

    @property
    def config_file(self) -> str:
        """The user's own config.toml, which need not exist."""
        home = self._environ.get("XDG_CONFIG_HOME") or os.path.join(self._environ.get("HOME", "/"), ".config")
        return os.path.join(home, "terrace", "config.toml")

    @property
    def context(self) -> str:
        """The name of the context in use, "local" for the server of this machine; "" when the server is named
        otherwise, or not at all."""
        for server, context in (
            (self._flags.get("server"), self._flags.get("context")),
            (self._environ.get("TERRACE_SERVER"), self._environ.get("TERRACE_CONTEXT")),
        ):
            if server or context:
                return "" if server else str(context)
        return self._config.settings.get("context", "")

    @property
    def project(self) -> str:
        """The project to work in."""
        near = self._flags.get("project") or self._environ.get("TERRACE_PROJECT")
        near = near or self._project_file.get("project")
        chosen = self.chosen()
        own = (chosen.project if chosen else "") or self._config.settings.get("project")
        return near or own or "default"

    @property
    def token_file(self) -> str:
        """The file with a token that was named; "" when none was."""
        return self._flags.get("token_file") or self._environ.get("TERRACE_TOKEN_FILE") or ""

    def setting(self, name: str) -> str:
        """A plain setting; "" when nobody says."""
        found = self._environ.get(f"TERRACE_{name.upper()}") or self._project_file.get(name)
        return found or self._config.settings.get(name, "")

    def address(self) -> Any:
        """The Address of the server; None for that of this machine."""
        from terrace.client.address import parse_address

        chosen = self.chosen()
        if chosen is not None:
            return parse_address(chosen.server, self._trust(chosen))
        named = self._flags.get("server") or ("" if self.context else self.setting("server"))
        return parse_address(named, self._trust(None)) if named else None

    def token(self) -> str:
        """What says who asks; "" for the owner of a local server. The token of a context goes to its server alone."""
        from terrace.client.access.token import read_token

        file = self.token_file
        if not file and self.chosen() is not None:
            kept = contexts.token_file(self.config_file, self.context)
            file = kept if os.path.exists(kept) else ""
        return read_token(file) if file else ""

    def chosen(self) -> Context | None:
        """The context in use; None when there is none, or it is the server of this machine."""
        return self._config.named(self.context) if self.context not in ("", contexts.LOCAL) else None

    def _trust(self, chosen: Context | None) -> Any:
        """How an https:// server is known: as the environment says, or its context."""
        from terrace.client.access.trust import Trust, parse_fingerprint

        pinned = self._environ.get("TERRACE_FINGERPRINT") or (chosen.fingerprint if chosen else "")
        authority = self._environ.get("TERRACE_CA_FILE") or (chosen.ca_file if chosen else "")
        return Trust(parse_fingerprint(pinned) if pinned else "", authority)

    @cached_property
    def _config(self) -> Config:
        return contexts.read_config(self.config_file)

    @cached_property
    def _project_file(self) -> dict[str, str]:
        """The nearest .terrace.toml from here upwards. It cannot name a server: it may be somebody else's."""
        folder, below = self._folder or os.getcwd(), ""
        while folder != below:
            file = os.path.join(folder, PROJECT_FILE)
            if os.path.isfile(file):
                return read_settings(file, PROJECT_KEYS)
            folder, below = os.path.dirname(folder), folder
        return {}
