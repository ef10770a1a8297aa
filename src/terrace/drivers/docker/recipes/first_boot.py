#!/usr/bin/python3
"""Carries out user data that is no plain script, inside a guest of Terrace's own images: a MIME message of several
parts, and a part of cloud-config. Needs nothing but this image. What it does not carry out it names, in
user-data.waiting beside the user data, and leaves alone.

Order: boothooks and bootcmd, write_files, users and keys, packages, the scripts as they come, runcmd. Everything is
tried; the exit code is that of the first that failed.
"""

from __future__ import annotations

import base64
import email
import gzip
import os
import pwd
import re
import shutil
import signal
import subprocess
import sys
from types import FrameType
from typing import Any

CARRIED_OUT = frozenset(
    [
        "bootcmd",
        "final_message",
        "merge_how",  # each part is carried out for itself, one after the other, so that nothing is to be merged
        "package_update",
        "package_upgrade",
        "packages",
        "runcmd",
        "ssh_authorized_keys",
        "users",
        "write_files",
    ]
)
OF_USERS = frozenset(
    [
        "gecos",
        "groups",
        "homedir",
        "lock_passwd",
        "name",
        "no_create_home",
        "passwd",
        "primary_group",
        "shell",
        "ssh_authorized_keys",
        "system",
        "uid",
    ]
)
PACKAGE = re.compile(r"[a-z0-9][a-z0-9+.-]*(?:=[A-Za-z0-9.:+~-]+)?")
SCRIPTS = (
    "text/x-shellscript",
    "text/x-sh",
    "text/x-shellscript-per-once",
    "text/x-shellscript-per-instance",
)


def say(words: str) -> None:
    """A line for the guest's log."""
    sys.stderr.write(f"terrace-first-boot: {words}\n")
    sys.stderr.flush()


class Boot:
    """One first boot: what failed first, and what waits."""

    def __init__(self, state: str) -> None:
        self.state = state
        self.code = 0
        self.waiting: list[str] = []
        self.child: subprocess.Popen[bytes] | None = None

    def stopped(self, number: int, frame: FrameType | None) -> None:
        """The guest is told to end: so is what runs, and all of it runs again at the next start."""
        if self.child is not None:
            self.child.send_signal(number)
        os._exit(128 + number)

    def run(self, command: list[str], env: dict[str, str] | None = None) -> None:
        """A program, to its end."""
        try:
            self.child = subprocess.Popen(command, cwd="/", env=env)
            code = self.child.wait()
        except OSError as error:
            say(f"{command[0]}: {error.strerror}")
            code = 127
        self.child = None
        if code and not self.code:
            self.code = code if 0 < code < 256 else 128 - code if code < 0 else 1

    def waits(self, name: object) -> None:
        """Something that is not carried out."""
        word = re.sub(r"[^A-Za-z0-9_.-]+", "-", str(name)).strip("-")[:40]
        if word and word not in self.waiting:
            self.waiting.append(word)

    def script(self, number: int, text: bytes) -> None:
        """A script, once: one that has ended is never run again, also when others are."""
        path = f"{self.state}/parts/{number:03d}"
        if os.path.exists(path + ".done"):
            return
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        with open(path, "wb", opener=lambda name, flags: os.open(name, flags, 0o700)) as file:
            file.write(text)
        self.run([path])
        with open(path + ".done", "w"):
            pass

    def commands(self, wanted: Any) -> None:
        """runcmd and bootcmd: lists are programs with arguments, texts are for the shell."""
        for one in wanted or ():
            if isinstance(one, list):
                self.run([str(word) for word in one])
            elif one is not None:
                self.run(["/bin/sh", "-c", str(one)])


class CloudConfig:
    """The part of cloud-config that is carried out; the rest is said to wait."""

    def __init__(self, boot: Boot) -> None:
        self.boot = boot

    def carry_out(self, config: dict[str, Any]) -> None:
        """All that comes before the scripts."""
        for key in config:
            if key not in CARRIED_OUT:
                self.boot.waits(key)
        self.boot.commands(config.get("bootcmd"))
        self._write_files(config.get("write_files"))
        self._users(config.get("users"))
        if config.get("ssh_authorized_keys"):
            self._keys("root", config["ssh_authorized_keys"])
        self._packages(config)

    def _write_files(self, wanted: Any) -> None:
        for one in wanted or ():
            path, content = str(one["path"]), one.get("content", "")
            content = content if isinstance(content, bytes) else str(content).encode()
            how = str(one.get("encoding") or "")
            if "b64" in how or "base64" in how:
                content = base64.b64decode(content)
            if how.startswith("gz"):
                content = gzip.decompress(content)
            os.makedirs(os.path.dirname(path) or "/", exist_ok=True)
            with open(path, "ab" if one.get("append") else "wb") as file:
                file.write(content)
            os.chmod(path, int(str(one.get("permissions") or "0644"), 8))
            if one.get("owner"):
                user, _, group = str(one["owner"]).partition(":")
                shutil.chown(path, user, group or None)

    def _users(self, wanted: Any) -> None:
        for entry in wanted or ():
            one = {"name": entry} if isinstance(entry, str) else entry
            if one.get("name") == "default":
                self.boot.waits("users.default")
                continue
            for key in one:
                if key not in OF_USERS:
                    self.boot.waits(f"users.{key}")
            self._user(one)

    def _user(self, one: dict[str, Any]) -> None:
        name = str(one["name"])
        try:
            pwd.getpwnam(name)
        except KeyError:
            groups = one.get("groups") or ""
            groups = groups if isinstance(groups, str) else ",".join(map(str, groups))
            for group in filter(None, re.split(r"[,\s]+", groups)):
                self.boot.run(["groupadd", "--force", "--", group])
            options = {
                "--comment": one.get("gecos"),
                "--shell": one.get("shell"),
                "--uid": one.get("uid"),
                "--home-dir": one.get("homedir"),
                "--gid": one.get("primary_group"),
                "--password": one.get("passwd") if one.get("lock_passwd") is False else None,
                "--groups": re.sub(r"[,\s]+", ",", groups) or None,
            }
            given = [
                word for name, value in options.items() if value is not None for word in (name, str(value))
            ]
            made = ["--no-create-home" if one.get("no_create_home") else "--create-home"]
            self.boot.run(
                ["useradd", *made, *(["--system"] if one.get("system") else []), *given, "--", name]
            )
        if one.get("ssh_authorized_keys"):
            self._keys(name, one["ssh_authorized_keys"])

    def _keys(self, name: str, keys: Any) -> None:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            return  # it was not made, which counts as a failure already
        folder = os.path.join(entry.pw_dir, ".ssh")
        os.makedirs(folder, mode=0o700, exist_ok=True)
        path = os.path.join(folder, "authorized_keys")
        with open(path, "a") as file:
            file.writelines(f"{str(key).strip()}\n" for key in ([keys] if isinstance(keys, str) else keys))
        os.chmod(path, 0o600)
        for one in (folder, path):
            os.chown(one, entry.pw_uid, entry.pw_gid)

    def _packages(self, config: dict[str, Any]) -> None:
        names = []
        for one in config.get("packages") or ():
            name = "=".join(map(str, one)) if isinstance(one, list) else str(one)
            if PACKAGE.fullmatch(name):
                names.append(name)
            else:
                self.boot.waits(f"packages.{name}")
        upgrade = bool(config.get("package_upgrade"))
        if not names and not upgrade and not config.get("package_update"):
            return
        quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        self.boot.run(["apt-get", "-q", "update"], env=quiet)
        if upgrade:
            self.boot.run(["apt-get", "-q", "-y", "upgrade"], env=quiet)
        if names:
            self.boot.run(["apt-get", "-q", "-y", "--no-install-recommends", "install", *names], env=quiet)


def parts_of(data: bytes) -> list[tuple[str, bytes]]:
    """(type, content) of each part, in order."""
    if data.startswith(b"#!"):
        return [("text/x-shellscript", data)]
    if data.startswith(b"#cloud-config"):
        return [("text/cloud-config", data)]
    message = email.message_from_bytes(data)
    found = []
    for part in message.walk():
        if part.is_multipart() or not message.keys():
            continue
        kind, payload = part.get_content_type(), part.get_payload(decode=True)
        content = payload if isinstance(payload, bytes) else b""
        if kind in ("text/plain", "application/octet-stream") or kind in SCRIPTS:
            kind = "text/x-shellscript" if content.startswith(b"#!") else kind
            kind = "text/cloud-config" if content.startswith(b"#cloud-config") else kind
        found.append((kind, content))
    return found


def read_config(content: bytes) -> dict[str, Any]:
    """The map of a part of cloud-config; ValueError when it is none."""
    import yaml

    try:
        config = yaml.safe_load(content) or {}
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from None
    if not isinstance(config, dict):
        raise ValueError("it is no map")
    return config


def carry_out(boot: Boot, parts: list[tuple[str, bytes]]) -> None:
    """Every part, in the order that the head of this file says."""
    configs: list[dict[str, Any]] = []
    scripts: list[tuple[int, bytes]] = []
    for number, (kind, content) in enumerate(parts):
        if kind == "text/cloud-boothook":
            boot.script(number, content)
        elif kind == "text/cloud-config":
            try:
                configs.append(read_config(content))
            except ValueError as error:
                say(f"the cloud-config cannot be read: {error}")
                boot.code = boot.code or 1
        elif kind in SCRIPTS and content.startswith(b"#!"):
            scripts.append((number, content))
        else:
            boot.waits(kind.partition("/")[2] or "user-data")
    for config in configs:
        try:
            CloudConfig(boot).carry_out(config)
        except (KeyError, TypeError, ValueError, AttributeError, OSError, LookupError) as error:
            say(f"cloud-config: {type(error).__name__}: {error}")
            boot.code = boot.code or 1
    for number, content in scripts:
        boot.script(number, content)
    for config in configs:
        boot.commands(config.get("runcmd"))
        if config.get("final_message"):
            say(str(config["final_message"]))


def main(path: str) -> int:
    """Ends with the exit code of what failed first."""
    with open(path, "rb") as file:
        data = file.read()
    boot = Boot(os.path.dirname(path))
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, boot.stopped)
    parts = parts_of(data)
    if parts:
        carry_out(boot, parts)
    else:
        boot.waits("user-data")
    if boot.waiting:
        say(f"not carried out: {', '.join(boot.waiting)}")
        with open(path + ".waiting", "w") as file:
            file.write(",".join(boot.waiting))
    return boot.code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
