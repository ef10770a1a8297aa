"""Credentials of providers that do not stand in server.toml: `secret:NAME` is a secret of the installation, `file:PATH`
what is in a file."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from terrace.errors import DocumentError
from terrace.ports.vault import Vault
from terrace.services.secrets.named import INSTALLATION
from terrace.services.settings import Document, Settings

_SECRET = re.compile(r"secret:([a-zA-Z][a-zA-Z0-9_.-]{0,62})")
_FILE = re.compile(r"file:(/.+)")

Keys = tuple[str, ...]


async def lent(settings: Settings, vault: Vault, read: Callable[[str], str]) -> Settings:
    """The settings with what their providers' tables name put in. DocumentError with every secret that is not there and
    every file that cannot be read, at its line."""
    document = Document(settings.text, settings.file)
    providers = {}
    for name, provider in settings.providers.items():
        table = await _filled(provider.table, ("providers", name), vault, read, document)
        providers[name] = replace(provider, table=table)
    if document.problems:
        raise DocumentError(document.problems)
    return replace(settings, providers=providers)


async def _filled(value: Any, at: Keys, vault: Vault, read: Callable[[str], str], document: Document) -> Any:
    if isinstance(value, dict):
        return {key: await _filled(item, (*at, key), vault, read, document) for key, item in value.items()}
    if isinstance(value, list):
        return [await _filled(item, at, vault, read, document) for item in value]
    if not isinstance(value, str):
        return value
    if named := _SECRET.fullmatch(value):
        found = await vault.value(INSTALLATION, named[1])
        if found is None:
            message = f'there is no secret "{named[1]}" of the installation'
            document.blame(at, message, hint=f"terrace secret set {named[1]} --installation")
            return value
        return found.reveal()
    if named := _FILE.fullmatch(value):
        try:
            return read(named[1]).removesuffix("\n").removesuffix("\r")
        except (OSError, UnicodeDecodeError) as error:
            why = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
            document.blame(at, f"{named[1]} cannot be read: {why}")
    return value
