"""The house rules that a machine can check: sizes, names, words, layers. Each failure says what to do about it."""

from __future__ import annotations

import ast
import glob
import os
import re
import subprocess
import sys
from configparser import ConfigParser, Error
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = [path for path in (ROOT / "src").iterdir() if (path / "__init__.py").exists()]

FILE_LINES = 500
FUNCTION_LINES = 60
CLASS_METHODS = 12
PARAMETERS = 6
FOLDER_FILES = 12
DEPTH = 3
EMPTY_NAMES = {"utils", "util", "helpers", "helper", "common", "base", "manager", "managers", "misc", "data"}

# What may break a rule, and why it may. Keep these empty if you can.
MANY_METHODS: dict[str, str] = {}
MANY_PARAMETERS: dict[str, str] = {}
LONG_FUNCTIONS: dict[str, str] = {}


# -- reading ---------------------------------------------------------------------------------------


@cache
def listed() -> tuple[Path, ...]:
    """The files that belong to the project: those that git knows, or would take."""
    done = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    if done.returncode == 0 and done.stdout:
        names = [ROOT / os.fsdecode(name) for name in done.stdout.split(b"\0") if name]
    else:  # a release has no repository
        names = [path for part in ("src", "tests", "scripts", "docs") for path in (ROOT / part).rglob("*")]
    return tuple(sorted(path for path in names if path.is_file() and "__pycache__" not in path.parts))


def python(*parts: str) -> list[Path]:
    """The Python files below the named folders."""
    return [path for path in listed() if path.suffix == ".py" and path.relative_to(ROOT).parts[0] in parts]


@cache
def tree(path: Path) -> ast.Module:
    """A file's syntax tree."""
    return ast.parse(path.read_bytes(), str(path))


@cache
def text(path: Path) -> str | None:
    """A file's text, or None for what is not text."""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return None


def place(path: Path, node: ast.AST | None = None) -> str:
    """Where to look, as an editor understands it."""
    name = path.relative_to(ROOT).as_posix()
    return f"{name}:{node.lineno}" if isinstance(node, ast.stmt) else name


def functions(path: Path) -> list[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef, bool]]:
    """Every function of a file: its full name, itself, and whether it is a method."""
    found: list[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef, bool]] = []

    def walk(node: ast.AST, prefix: str, in_class: bool) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
                found.append((f"{prefix}{child.name}", child, in_class))
                walk(child, f"{prefix}{child.name}.", False)
            elif isinstance(child, ast.ClassDef):
                walk(child, f"{prefix}{child.name}.", True)
            else:
                walk(child, prefix, in_class)

    walk(tree(path), "", False)
    return found


@cache
def promised() -> frozenset[str]:
    """The methods that ports declare, and document, for those who implement them."""
    return frozenset(
        child.name
        for path in python("src")
        if "ports" in path.parts
        for node in ast.walk(tree(path))
        if isinstance(node, ast.ClassDef) and any("Protocol" in ast.unparse(base) for base in node.bases)
        for child in node.body
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef) and ast.get_docstring(child)
    )


def report(rule: str, broken: list[str]) -> None:
    """Fail with the rule and every place that breaks it."""
    if broken:
        pytest.fail(f"{rule}\n  " + "\n  ".join(broken), pytrace=False)


# -- sizes -----------------------------------------------------------------------------------------


def test_files_are_short() -> None:
    broken = [
        f"{place(path)}: {lines} lines"
        for path in python("src", "tests", "scripts", "bench")
        if (lines := len(path.read_bytes().splitlines())) > FILE_LINES
    ]
    report(
        f"A file has at most {FILE_LINES} lines. Which two things are in there? Give each its own.", broken
    )


def test_functions_are_short() -> None:
    broken = [
        f"{place(path, node)}: {name} has {lines} lines"
        for path in python("src", "tests", "scripts", "bench")
        for name, node, _ in functions(path)
        if (lines := (node.end_lineno or 0) - node.lineno + 1) > FUNCTION_LINES
        and f"{place(path)}:{name}" not in LONG_FUNCTIONS
    ]
    report(f"A function has at most {FUNCTION_LINES} lines. Give the steps names of their own.", broken)


def test_functions_take_few_parameters() -> None:
    broken = []
    for path in python("src"):
        for name, node, in_class in functions(path):
            static = any(
                isinstance(one, ast.Name) and one.id == "staticmethod" for one in node.decorator_list
            )
            count = len(node.args.posonlyargs) + len(node.args.args) + len(node.args.kwonlyargs)
            count -= in_class and not static
            if count > PARAMETERS and f"{place(path)}:{name}" not in MANY_PARAMETERS and not _framework(node):
                broken.append(f"{place(path, node)}: {name} takes {count}")
    report(
        f"A function takes at most {PARAMETERS} parameters. Those that travel together are a value.", broken
    )


def _framework(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Commands and HTTP handlers: their parameters are the user's options, one each, filled in by the framework."""
    for decorator in node.decorator_list:
        called = decorator.func if isinstance(decorator, ast.Call) else decorator
        words = ast.unparse(called).split(".")
        if words[-1] in {
            "command",
            "get",
            "put",
            "post",
            "patch",
            "delete",
            "websocket",
            "option",
            "argument",
        }:
            return True
    return False


def test_classes_have_few_public_methods() -> None:
    broken = []
    for path in python("src"):
        for node in ast.walk(tree(path)):
            if not isinstance(node, ast.ClassDef) or f"{place(path)}:{node.name}" in MANY_METHODS:
                continue
            methods = {
                child.name
                for child in node.body
                if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef)
                and not child.name.startswith("_")
            }
            if len(methods) > CLASS_METHODS:
                broken.append(f"{place(path, node)}: {node.name} has {len(methods)}")
    report(f"A class has at most {CLASS_METHODS} public methods. Which two things is it?", broken)


def test_folders_are_small_and_shallow() -> None:
    broken = []
    folders: dict[Path, int] = {}
    for path in python("src"):
        folders[path.parent] = folders.get(path.parent, 0) + (path.name != "__init__.py")
    for folder, count in sorted(folders.items()):
        if count > FOLDER_FILES:
            broken.append(f"{place(folder)}: {count} files, at most {FOLDER_FILES}")
        if (depth := len(folder.relative_to(ROOT / "src").parts) - 1) > DEPTH:
            broken.append(f"{place(folder)}: {depth} folders deep, at most {DEPTH}")
    report("A folder fits on a screen, and nothing is buried.", broken)


# -- names and words -------------------------------------------------------------------------------


def test_names_say_something() -> None:
    broken = [
        place(path)
        for path in python("src", "tests", "scripts", "bench")
        if EMPTY_NAMES & {path.stem, *path.relative_to(ROOT).parts[:-1]}
    ]
    report(f"A file is called after what is in it, never {', '.join(sorted(EMPTY_NAMES))}.", broken)


def test_every_module_says_what_it_is() -> None:
    broken = [
        place(path)
        for path in python("src", "scripts")
        if not ast.get_docstring(tree(path)) and (path.name != "__init__.py" or tree(path).body)
    ]
    report("A module begins with a docstring: one line that says what it is for.", broken)


def test_every_public_function_says_what_it_does() -> None:
    broken = []
    for path in python("src"):
        for name, node, _ in functions(path):
            if _public(name, node, path) and not ast.get_docstring(node):
                broken.append(f"{place(path, node)}: {name}")
        for node in ast.walk(tree(path)):
            if (
                isinstance(node, ast.ClassDef)
                and not node.name.startswith("_")
                and not ast.get_docstring(node)
            ):
                broken.append(f"{place(path, node)}: class {node.name}")
    report("What others call has a docstring, one line if that says it.", broken)


def _public(name: str, node: ast.FunctionDef | ast.AsyncFunctionDef, path: Path) -> bool:
    """Neither private, nor inside a function, nor something that has its docstring elsewhere."""
    parts = name.split(".")
    if any(part.startswith("_") for part in parts) or (len(parts) > 1 and node.name in promised()):
        return False
    outer = {full for full, _, _ in functions(path)}
    if any(".".join(parts[:depth]) in outer for depth in range(1, len(parts))):
        return False
    decorators = {ast.unparse(one).rsplit(".", 1)[-1] for one in node.decorator_list}
    return not decorators & {"overload", "override", "setter"}


def test_nothing_is_left_undone() -> None:
    marks = re.compile(r"\b(" + "|".join(("TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK")) + r")\b")
    broken = [
        f"{place(path)}:{number}: {line.strip()[:80]}"
        for path in listed()
        if path.suffix in {".py", ".sql", ".toml", ".sh", ".md", ".html", ".js", ".css"}
        or path.name == "Makefile"
        for number, line in enumerate((text(path) or "").splitlines(), 1)
        if marks.search(line)
    ]
    report("What is left to do is an issue, not a mark in the source.", broken)


def test_exceptions_are_still_needed() -> None:
    known = {
        f"{place(path)}:{name}"
        for path in python("src", "tests", "scripts")
        for name, _, _ in functions(path)
    }
    known |= {
        f"{place(path)}:{node.name}"
        for path in python("src")
        for node in ast.walk(tree(path))
        if isinstance(node, ast.ClassDef)
    }
    allowed = {**MANY_METHODS, **MANY_PARAMETERS, **LONG_FUNCTIONS}
    broken = [f"{name}: nothing is called that any more" for name in allowed if name not in known]
    broken += [f"{name}: no reason given" for name, reason in allowed.items() if not reason.strip()]
    report("An exception to a rule has a reason, and goes when what it excuses goes.", broken)


# -- places that are not ours ----------------------------------------------------------------------


def test_no_registry_is_named() -> None:
    hosts = registry_hosts()
    if not hosts:
        return
    pattern = re.compile("|".join(re.escape(host) for host in sorted(hosts)))
    report(
        "No file names the host of a package registry: Terrace uses the machine's own settings.",
        _lines_that_match(pattern),
    )


def test_no_path_of_one_machine() -> None:
    pattern = re.compile(
        r"(?:^|[^A-Za-z0-9_./~$}-])((?:" + "|".join(_private_places()) + r")/[A-Za-z0-9_.-]*)"
    )
    report("No file names a folder of one machine or one person.", _lines_that_match(pattern))


def registry_hosts() -> set[str]:
    """The hosts that this machine's package managers are set to use, and those they use unless told otherwise."""
    sources = ["/etc/apt/sources.list", *glob.glob("/etc/apt/sources.list.d/*")]
    config = ConfigParser(interpolation=None)
    urls = "".join(Path(name).read_text(errors="replace") for name in sources if os.access(name, os.R_OK))
    try:
        config.read(["/etc/pip.conf", Path.home() / ".pip/pip.conf", Path.home() / ".config/pip/pip.conf"])
        urls += " ".join(value for section in config.values() for value in section.values())
    except (Error, UnicodeDecodeError):
        pass
    urls += " ".join(
        value for name, value in os.environ.items() if name.startswith(("PIP_", "UV_", "NPM_CONFIG"))
    )
    hosts = set(re.findall(r"https?://(?:[^@/\s]*@)?([a-z0-9.-]+\.[a-z0-9-]+)", urls))
    try:
        from pip._internal.models.index import PyPI
    except ImportError:
        return hosts
    return hosts | {PyPI.netloc, PyPI.file_storage_domain}


def _private_places() -> list[str]:
    """Homes of this machine, and the folder this checkout lies in, unless that is a place every machine has."""
    guests = "(?!/[.]ssh)"  # where sshd in a guest looks for keys; every guest has it
    places = ["/" + "root" + guests, *(re.escape(home) for home in glob.glob("/home/*"))]
    top = "/" + ROOT.parts[1] if len(ROOT.parts) > 2 else ""
    if top not in {"", "/home", "/root", "/opt", "/srv", "/tmp", "/usr", "/var", "/mnt", "/media", "/run"}:
        places.append(re.escape(top))
    return places


def _lines_that_match(pattern: re.Pattern[str]) -> list[str]:
    return [
        f"{place(path)}:{number}: {line.strip()[:100]}"
        for path in listed()
        for number, line in enumerate((text(path) or "").splitlines(), 1)
        if pattern.search(line)
    ]


# -- layers ----------------------------------------------------------------------------------------


def test_layers_hold() -> None:
    """Each layer imports only downward; the contracts are in pyproject.toml."""
    done = subprocess.run(
        [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"],
        cwd=ROOT,
        env=os.environ | {"NO_COLOR": "1", "PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
        check=False,
    )
    said = (
        done.stdout[done.stdout.find("---------") :]
        if "---------" in done.stdout
        else done.stdout + done.stderr
    )
    assert done.returncode == 0, f"a layer imports what it may not:\n{said}"


def test_the_package_ships_what_it_needs() -> None:
    """Every folder of the package with files in it is a package, so that what lies beside the modules is found."""
    broken = [
        place(path.parent)
        for package in PACKAGES
        for path in package.rglob("*.py")
        if "__pycache__" not in path.parts and not (path.parent / "__init__.py").exists()
    ]
    report("A folder with modules has an __init__.py.", sorted(set(broken)))
