"""Secrets that projects keep by name, and the keys that everything secret is sealed with."""

from __future__ import annotations

from terrace.services.secrets.keys import KeyKeeping
from terrace.services.secrets.named import NamedSecrets

__all__ = ["KeyKeeping", "NamedSecrets"]
