"""Sealing of secrets: data keys that lie in the database, wrapped by master keys that never do."""

from __future__ import annotations

from terrace.stores.sealing.envelope import Envelope
from terrace.stores.sealing.keyfile import KeyFile

__all__ = ["Envelope", "KeyFile"]
