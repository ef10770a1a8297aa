"""Where a server listens: a Unix socket or a TCP port."""

from __future__ import annotations

from typing import NamedTuple

from terrace.errors import UserError


class Address(NamedTuple):
    """`path` of a Unix socket, or else `host` and `port`."""

    path: str = ""
    host: str = ""
    port: int = 0

    def __str__(self) -> str:
        return f"unix://{self.path}" if self.path else f"http://{self.host}:{self.port}"


def parse_address(text: str) -> Address:
    """The address in `text`: unix:///a/path, /a/path or http://host:port. UserError for anything else."""
    if text.startswith("/"):
        return Address(path=text)
    if text.startswith("unix://"):
        path = text.removeprefix("unix://")
        if path.startswith("/"):
            return Address(path=path)
    elif text.startswith("http://"):
        host, _, port = text.removeprefix("http://").rstrip("/").rpartition(":")
        if host and port.isdigit() and 0 < int(port) < 65536:
            return Address(host=host.strip("[]"), port=int(port))
    raise UserError(
        f'"{text}" is not the address of a server',
        code="invalid-address",
        hint="write unix:///path/to/terrace.sock or http://host:port",
    )
