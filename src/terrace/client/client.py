"""The client: every path of API v1, grouped by what it is about."""

from __future__ import annotations

from types import TracebackType
from typing import Any

from terrace.client.access.trust import Trust
from terrace.client.address import Address, parse_address
from terrace.client.doors.signals import Signals
from terrace.client.engines.members import Engines
from terrace.client.people import People
from terrace.client.providers import Providers
from terrace.client.stacks import Adoption, Operations, Snapshots, Stacks
from terrace.client.streams import Streams
from terrace.client.transport import Transport
from terrace.client.vault.flavors import Flavors
from terrace.client.vault.keys import Keys
from terrace.client.vault.quotas import Quotas
from terrace.client.vault.secrets import Secrets
from terrace.client.views import Views


class Client:
    """One server, seen by one project. `address` is an Address or its text; `token` is what says who asks (the owner,
    on the Unix socket, needs none); `trust` says how an https:// server is known. Every method raises ApiError when
    the server refuses and UnreachableError when there is none, or one that is not trusted."""

    def __init__(
        self,
        address: Address | str,
        *,
        project: str = "default",
        token: str = "",
        trust: Trust = Trust(),  # noqa: B008 -- a value
    ) -> None:
        self.address = parse_address(address, trust) if isinstance(address, str) else address
        self.project = project
        self._transport = Transport(self.address, token)
        self.stacks = Stacks(self._transport, project)
        self.adoption = Adoption(self._transport, project)
        self.snapshots = Snapshots(self._transport, project)
        self.operations = Operations(self._transport, project)
        self.views = Views(self._transport, project)
        self.streams = Streams(self._transport, project)
        self.providers = Providers(self._transport)
        self.engines = Engines(self._transport)
        self.keys = Keys(self._transport)
        self.quotas = Quotas(self._transport)
        self.flavors = Flavors(self._transport)
        self.secrets = Secrets(self._transport, project)
        self.signals = Signals(self._transport, project)
        self.people = People(self._transport)

    def version(self) -> dict[str, Any]:
        """{version, installation}; needs no credential."""
        return self._mapping("/v1/version")

    def server(self) -> dict[str, Any]:
        """How the server runs, and how it is reached."""
        return self._mapping("/v1/server")

    def openapi(self) -> dict[str, Any]:
        """What the server publishes of its API."""
        return self._mapping("/v1/openapi.json")

    def doctor(self) -> dict[str, Any]:
        """What the server says of its own health."""
        return self._mapping("/v1/doctor")

    def close(self) -> None:
        """Lets go of the connection."""
        self._transport.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _mapping(self, path: str) -> dict[str, Any]:
        body: dict[str, Any] = self._transport.get(path)
        return body
