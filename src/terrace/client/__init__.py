"""The way to a Terrace server: a synchronous HTTP client, and how the local server is found and started.

One Client speaks for one project: `Client("unix:///run/terrace.sock", project="default").stacks.get("shop")`.
"""

from __future__ import annotations

from terrace.client.access.trust import Trust
from terrace.client.client import Client
from terrace.client.errors import ApiError, UnreachableError
from terrace.client.streams import Events

__all__ = ["ApiError", "Client", "Events", "Trust", "UnreachableError"]
