"""`terrace version`: of this program, and of the server if one runs."""

from __future__ import annotations

import platform

from terrace import __version__
from terrace.cli.commands import command, output_option, pass_session
from terrace.cli.session import Session
from terrace.cli.shape import emit


@command("version", epilog="  terrace version\n  terrace version -o json")
@output_option()
@pass_session
def version(session: Session) -> None:
    """Show the versions of this program and of the server. Starts no server."""
    from terrace.client import Client
    from terrace.errors import TerraceError

    address = session.address(start=False)
    with Client(address) as client:
        try:
            server = client.version()
        except TerraceError:
            server = None
    found = {
        "client": __version__,
        "python": platform.python_version(),
        "server": server,
        "address": str(address),
    }
    says = f"{server['version']} (installation {server['installation']})" if server else "does not run"
    emit(
        session,
        found,
        lambda: f"terrace {__version__} (Python {found['python']})\nserver  {says} at {address}",
        lambda: [__version__],
    )
