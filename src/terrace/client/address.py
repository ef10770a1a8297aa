"""Where a server listens: a Unix socket or a TCP port."""

from __future__ import annotations

import re
from typing import NamedTuple

from terrace.client.access.trust import Trust
from terrace.errors import UserError

HTTPS = 443
"""The port when https:// names none."""
_AT = re.compile(r"http(?P<s>s?)://(?P<host>\[[0-9a-fA-F:.]+\]|[^/:\[\]@?#\s]+)(:(?P<port>\d{1,5}))?/?")


class Address(NamedTuple):
    """`path` of a Unix socket, or else `host` and `port`; `trust` when TLS is spoken there."""

    path: str = ""
    host: str = ""
    port: int = 0
    trust: Trust | None = None

    def __str__(self) -> str:
        if self.path:
            return f"unix://{self.path}"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'http' if self.trust is None else 'https'}://{host}:{self.port}"

    @property
    def private(self) -> bool:
        """Whether what is said there is heard by nobody else: a token may be sent."""
        return bool(self.path) or self.trust is not None or self.host in ("localhost", "127.0.0.1", "::1")


def parse_address(text: str, trust: Trust = Trust()) -> Address:  # noqa: B008 -- a value
    """The address in `text`: unix:///a/path, /a/path, https://host[:port] (whose server `trust` says how to know) or
    http://host:port. UserError for anything else."""
    if text.startswith("/"):
        return Address(path=text)
    if text.startswith("unix://"):
        path = text.removeprefix("unix://")
        if path.startswith("/"):
            return Address(path=path)
    elif found := _AT.fullmatch(text):
        port = int(found["port"] or HTTPS)
        if 0 < port < 65536 and (found["port"] or found["s"]):
            return Address(host=found["host"].strip("[]"), port=port, trust=trust if found["s"] else None)
    raise UserError(
        f'"{text}" is not the address of a server',
        code="invalid-address",
        hint="write https://host:port, or unix:///path/to/server.sock",
    )
