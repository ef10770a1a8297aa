"""Recipes for images: a small Debian by mmdebstrap."""

from __future__ import annotations

import asyncio
import hashlib
import io
import os
import re
import shlex
import shutil
import signal
import subprocess
import tarfile
from collections.abc import Callable, Mapping
from importlib import resources
from pathlib import Path

import msgspec

from terrace.drivers.docker.wire.faults import one_line
from terrace.errors import PermanentError, TransientError

AUTHORITIES = Path("/usr/local/share/ca-certificates")
BUNDLE = "/etc/ssl/certs/ca-certificates.crt"
_PROXIES = ("http_proxy", "https_proxy", "no_proxy")
_TRUSTING = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "PIP_CERT", "NODE_EXTRA_CA_CERTS")


class Recipe(msgspec.Struct, frozen=True):
    """How a base image is made. `programs`: what is laid over the packages, by path, from files beside this one. Raise
    `edition` when the steps in this file change what comes out."""

    name: str
    suite: str
    packages: tuple[str, ...]
    programs: tuple[tuple[str, str], ...]
    edition: int = 1


_INIT = ("sbin/terrace-init", "terrace-init.sh")
RECIPES = {
    "debian-12": Recipe(
        "debian-12",
        "bookworm",
        ("ca-certificates", "curl", "iproute2", "python3", "python3-yaml"),
        (_INIT, ("sbin/terrace-first-boot", "first_boot.py")),
    ),
    "haproxy": Recipe(
        "haproxy",
        "bookworm",
        ("ca-certificates", "haproxy", "socat"),
        (_INIT, ("sbin/terrace-balance", "terrace-balance.sh")),
    ),
}


class Ground(msgspec.Struct, frozen=True):
    """What of this machine goes into an image. `sources` of apt by file name; `keyrings` they are signed by,
    by path; `apt`: lines of its configuration; `authorities`: extra certificate authorities by file name;
    `pip`: a pip.conf; `environment` of every program."""

    sources: dict[str, str]
    keyrings: dict[str, bytes] = {}
    apt: tuple[str, ...] = ()
    authorities: dict[str, bytes] = {}
    pip: str = ""
    environment: dict[str, str] = {}


def digest(recipe: Recipe, ground: Ground) -> str:
    """What the image follows from, in 12 characters: the same digest, the same image."""
    programs = [text_of(file) for _, file in recipe.programs]
    content = msgspec.msgpack.encode([recipe, ground, programs], order="deterministic")
    return hashlib.sha256(content).hexdigest()[:12]


def text_of(file: str) -> str:
    """The text of a file beside this one."""
    return resources.files(__package__).joinpath(file).read_text(encoding="utf-8")


# --- this machine


def survey(
    recipe: Recipe, certificates: bool, root: Path = Path("/"), environ: Mapping[str, str] = os.environ
) -> Ground:
    """Reads what of this machine goes into the image. `certificates`: trust its extra authorities."""
    sources = _sources(recipe, root)
    named = {path for text in sources.values() for path in re.findall(r"/[\w./-]+\.(?:gpg|asc)", text)}
    keyrings = {path: kept for path in sorted(named) if (kept := _bytes(root / path.lstrip("/")))}
    authorities = {}
    if certificates:
        folder = root / str(AUTHORITIES).lstrip("/")
        authorities = {
            path.name: path.read_bytes() for path in sorted(folder.rglob("*.crt")) if path.is_file()
        }
    environment = {name: environ[name] for name in _PROXIES if environ.get(name)}
    if certificates:
        environment |= dict.fromkeys(_TRUSTING, BUNDLE)
    return Ground(sources, keyrings, _apt_lines(root), authorities, _pip(root, certificates), environment)


def _sources(recipe: Recipe, root: Path) -> dict[str, str]:
    """Those of apt's sources that speak of the recipe's suite. PermanentError when none does."""
    apt, found = root / "etc/apt", {}
    for path in sorted([apt / "sources.list", *(apt / "sources.list.d").glob("*")]):
        if not path.is_file():
            continue
        text = path.read_text(encoding="utf-8", errors="replace")
        if path.suffix == ".sources":
            wanted = [
                one
                for one in re.split(r"\n\s*\n", text)
                if re.search(rf"(?im)^suites:.*\b{recipe.suite}\b", one)
            ]
            joined = "\n\n".join(_uncommented(one) for one in wanted)
        elif path.suffix == ".list":
            lines = _uncommented(text).splitlines()
            joined = "\n".join(one for one in lines if re.match(rf"deb\s.*\s{recipe.suite}\b", one))
        else:
            continue
        if joined.strip():
            found[path.name] = joined.strip() + "\n"
    if not found:
        raise PermanentError(
            f"apt on this machine has no source for {recipe.suite}, from which the image {recipe.name} is built",
            hint=f"add one for {recipe.suite} in /etc/apt/sources.list.d",
        )
    return found


def _uncommented(text: str) -> str:
    return "\n".join(line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#"))


def _apt_lines(root: Path) -> tuple[str, ...]:
    """Lines of apt's configuration by which this machine reaches its sources: proxies, and whom it
    believes."""
    lines = []
    for path in sorted((root / "etc/apt").glob("apt.conf")) + sorted((root / "etc/apt/apt.conf.d").glob("*")):
        if path.is_file():
            text = _uncommented(path.read_text(encoding="utf-8", errors="replace"))
            lines += [
                one.strip()
                for one in text.splitlines()
                if re.match(r"\s*Acquire::(http|https|ftp)::[^{}]+;$", one)
            ]
    return tuple(lines)


def _pip(root: Path, certificates: bool) -> str:
    """This machine's pip settings as far as a guest can use them: addresses on the network, no
    credentials."""
    kept = ["[global]"]
    for line in (_bytes(root / "etc/pip.conf") or b"").decode(errors="replace").splitlines():
        name, _, value = (part.strip() for part in line.partition("="))
        urls = [url for url in value.split() if url.startswith(("http://", "https://")) and "@" not in url]
        if name in ("index-url", "extra-index-url") and urls:
            kept.append(f"{name} = {' '.join(urls)}")
    if certificates:
        kept.append(f"cert = {BUNDLE}")
    return "\n".join(kept) + "\n" if len(kept) > 1 else ""


def _bytes(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None


# --- building


async def build(recipe: Recipe, ground: Ground, folder: Path, note: Callable[[str], None]) -> Path:
    """Builds into `folder`; the root file system as a tar archive. `note` is told how far it is."""
    program = shutil.which("mmdebstrap")
    if program is None:
        raise PermanentError(
            f"mmdebstrap is missing: it builds the image {recipe.name}",
            hint="apt-get install mmdebstrap, then terrace retry",
        )
    _write_extra(recipe, ground, folder / "extra.tar")
    target = folder / "root.tar"
    running = await asyncio.create_subprocess_exec(
        *_walls(), program, *_options(recipe, ground, folder), recipe.suite, str(target),
        *_write_sources(ground, folder),
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        start_new_session=True, env={**os.environ, "TMPDIR": str(folder), "LC_ALL": "C.UTF-8"},
    )  # fmt: skip
    try:
        wrong = await _follow(running, note)
        await running.wait()
    finally:
        await _end(running)
    if running.returncode:
        raise TransientError(f"the image {recipe.name} could not be built: {wrong}", code="recipe-failed")
    return target


def _walls() -> list[str]:
    """mmdebstrap mounts /proc and more into what it builds, and leaves that behind when it is killed. In
    namespaces of its own all
    of it ends with this process, however that ends. Without root it makes namespaces by itself."""
    if os.geteuid() != 0:
        return []
    return [
        *("setpriv", "--pdeathsig", "KILL", "--"),
        *("unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--"),
    ]


def _options(recipe: Recipe, ground: Ground, folder: Path) -> list[str]:
    options = [
        "--variant=minbase",
        f"--include={','.join(recipe.packages)}",
        '--aptopt=Acquire::Languages "none"',
        "--dpkgopt=path-exclude=/usr/share/man/*",
        "--dpkgopt=path-exclude=/usr/share/locale/*",
        "--dpkgopt=path-exclude=/usr/share/doc/*",
        "--dpkgopt=path-include=/usr/share/doc/*/copyright",
        f"--customize-hook=tar-in {shlex.quote(str(folder / 'extra.tar'))} /",
        '--customize-hook=chroot "$1" update-ca-certificates',
    ]
    return options + [f"--aptopt={line}" for line in ground.apt]


def _write_sources(ground: Ground, folder: Path) -> list[str]:
    """The sources as files of their own, which is how mmdebstrap keeps them in the image."""
    (folder / "sources").mkdir()
    paths = [folder / "sources" / name for name in sorted(ground.sources)]
    for path in paths:
        path.write_text(ground.sources[path.name], encoding="utf-8")
    return [str(path) for path in paths]


def _write_extra(recipe: Recipe, ground: Ground, target: Path) -> None:
    """What is laid over the packages. No package starts services in a guest: it has no init that could."""
    files: dict[str, tuple[bytes, int]] = {
        **{path: (text_of(file).encode(), 0o755) for path, file in recipe.programs},
        "usr/sbin/policy-rc.d": (b"#!/bin/sh\nexit 101\n", 0o755),
    }
    for name, content in ground.authorities.items():
        files[f"{str(AUTHORITIES).lstrip('/')}/{name}"] = (content, 0o644)
    for path, content in ground.keyrings.items():
        files[path.lstrip("/")] = (content, 0o644)
    if ground.pip:
        files["etc/pip.conf"] = (ground.pip.encode(), 0o644)
    with tarfile.open(target, "w") as tar:
        for path, (content, mode) in sorted(files.items()):
            entry = tarfile.TarInfo(path)
            entry.size, entry.mode = len(content), mode
            tar.addfile(entry, io.BytesIO(content))
        state = tarfile.TarInfo("var/lib/terrace")
        state.type, state.mode = tarfile.DIRTYPE, 0o755
        tar.addfile(state)


async def _follow(running: asyncio.subprocess.Process, note: Callable[[str], None]) -> str:
    """Tells how far it is; the last complaint."""
    wrong = ""
    if running.stderr is not None:
        async for line in running.stderr:
            kind, _, words = line.decode(errors="replace").strip().partition(": ")
            if kind == "I" and not words.startswith("running --"):
                note(one_line(words))
            elif kind == "E" or (kind == "W" and not wrong):
                wrong = one_line(words)
    return wrong or "mmdebstrap failed"


async def _end(running: asyncio.subprocess.Process) -> None:
    """Ends it, with all it has started."""
    if running.returncode is None:
        os.killpg(running.pid, signal.SIGKILL)
        await running.wait()
