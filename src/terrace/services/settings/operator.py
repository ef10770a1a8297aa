"""The operator's environments, read from their folder once, when the server starts."""

from __future__ import annotations

import os.path
from collections.abc import Callable, Sequence

import msgspec

from terrace.errors import DocumentError
from terrace.languages import as_operator, check_operator, needed_files
from terrace.model.problem import Problem
from terrace.model.stack import Source
from terrace.services.settings.schema import Settings
from terrace.services.settings.table import Document


class Disk(msgspec.Struct, frozen=True):
    """How folders and files are read. `names`: what is in a folder; `read`: the text of a file. Both raise OSError,
    `read` also UnicodeDecodeError."""

    names: Callable[[str], Sequence[str]]
    read: Callable[[str], str]


def with_operator(settings: Settings, disk: Disk) -> Settings:
    """The settings with what their folder of environments holds, and every template that is named there.
    DocumentError with every mistake, by file, line and column."""
    folder = settings.environment_d
    if not folder:
        return settings
    document = Document(settings.text, settings.file)
    try:
        # As Heat does it: whatever the files are called, in the order of their names.
        found = sorted(name for name in disk.names(folder) if not name.startswith(".") and name[-1] != "~")
    except OSError as error:
        document.blame(("environment_d",), f"{folder} cannot be read: {error.strerror}")
        raise DocumentError(document.problems) from error
    files, problems = _files(folder, found, disk)
    environments = tuple(name for name in found if name in files)
    problems += check_operator(Source("", files, environments))
    wrong = [problem for problem in problems if problem.severity == "error"]
    if wrong:
        raise DocumentError([_placed(folder, problem) for problem in wrong])
    return msgspec.structs.replace(settings, operator=as_operator(files, environments))


def _files(folder: str, environments: Sequence[str], disk: Disk) -> tuple[dict[str, str], list[Problem]]:
    """The environments and all that they name and is there, and a Problem for each file that cannot be read. What is
    named and missing is found where it is named."""
    files: dict[str, str] = {}
    problems: list[Problem] = []
    waiting, seen = list(environments), set(environments)
    while waiting:
        name = waiting.pop()
        try:
            files[name] = disk.read(os.path.join(folder, name))
        except (FileNotFoundError, IsADirectoryError):
            continue
        except (OSError, UnicodeDecodeError) as error:
            why = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
            problems.append(Problem(f"cannot be read: {why}", file=name, code="file-unreadable"))
            continue
        for wanted in needed_files(files[name], name):
            if wanted not in seen:
                seen.add(wanted)
                waiting.append(wanted)
    return files, problems


def _placed(folder: str, problem: Problem) -> Problem:
    """A problem with the name that its file has on the disk."""
    return msgspec.structs.replace(problem, file=os.path.join(folder, problem.file))
