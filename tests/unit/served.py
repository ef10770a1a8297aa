"""A server as a process of its own, with a simulated provider."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from terrace.client import Client

TEMPLATE = """heat_template_version: 2021-04-16
parameters: {pin: {type: string, hidden: true}}
resources:
  web:
    type: OS::Nova::Server
    properties:
      image: debian-12
      flavor: m1.tiny
      user_data: {str_replace: {template: "#!/bin/sh\\n: PIN", params: {PIN: {get_param: pin}}}}
"""
PIN = "correct-horse-battery"
REQUEST = {"template": "t.yaml", "files": {"t.yaml": TEMPLATE}, "parameters": {"pin": PIN}}


class Server:
    """One server process on a state folder. `settings` is what its server.toml says besides."""

    def __init__(self, folder: Path, settings: str = '[providers.local]\ndriver = "sim"\n') -> None:
        self.folder = folder
        self.state = folder / "state"
        self.config = folder / "server.toml"
        self.config.write_text(settings if "state" in settings else f'state = "{self.state}"\n{settings}')
        self.process: subprocess.Popen[str] | None = None

    @property
    def client(self) -> Client:
        return Client(f"unix://{self.state}/server.sock")

    def start(self) -> Server:
        self.process = self.spawn()
        while True:
            try:
                self.client.version()
                return self
            except Exception:
                assert self.process.poll() is None, self.process.communicate()
                time.sleep(0.02)

    def log(self, event: str) -> list[dict[str, Any]]:
        """The lines of its log that tell of `event`."""
        lines = map(json.loads, (self.state / "server.log").read_text().splitlines())
        return [line for line in lines if line["event"] == event]

    def spawn(self, *arguments: str) -> subprocess.Popen[str]:
        environ = {**os.environ, "TERRACE_SERVER_CONFIG": str(self.config), "HOME": str(self.folder)}
        command = [sys.executable, "-m", "terrace", "serve", *arguments]
        return subprocess.Popen(
            command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd="/"
        )

    def refuse(self) -> tuple[int, str]:
        """The exit code and words of one that cannot run."""
        process = self.spawn()
        try:
            _, said = process.communicate(timeout=30)
        finally:
            process.kill()
        return process.returncode, said

    def end(self, number: int = signal.SIGTERM) -> int:
        assert self.process is not None
        self.process.send_signal(number)
        self.process.communicate(timeout=30)
        return self.process.returncode


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
