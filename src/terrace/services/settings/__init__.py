"""Settings of the server: one commented TOML file, checked as a whole when the server starts."""

from __future__ import annotations

from importlib import resources

from terrace.services.settings.access import Access, Ldap
from terrace.services.settings.operator import Disk, with_operator
from terrace.services.settings.reading import Surroundings, parse, settings_file
from terrace.services.settings.schema import (
    Defaults,
    Limits,
    ProviderSettings,
    ServerSettings,
    Settings,
    StoreSettings,
    Tuning,
    split_address,
)
from terrace.services.settings.table import Document, read_struct

__all__ = [
    "Access",
    "Defaults",
    "Disk",
    "Document",
    "Ldap",
    "Limits",
    "ProviderSettings",
    "ServerSettings",
    "Settings",
    "StoreSettings",
    "Surroundings",
    "Tuning",
    "commented",
    "parse",
    "read_struct",
    "settings_file",
    "split_address",
    "with_operator",
]


def commented() -> str:
    """The text of a server.toml that says everything that can be set, all of it commented out."""
    return (resources.files(__package__) / "server.toml").read_text(encoding="utf-8")
