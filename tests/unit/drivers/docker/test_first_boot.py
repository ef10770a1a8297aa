"""What runs user data in Terrace's own images, run here as an ordinary program."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from terrace.drivers.docker.recipes import first_boot
from terrace.kinds.software.text import cloud_config, multipart


def boot(folder: Path, text: str) -> subprocess.CompletedProcess[str]:
    """Runs user data with `folder` as the guest's state."""
    data = folder / "user-data"
    data.write_text(text)
    program = [sys.executable, first_boot.__file__, str(data)]
    return subprocess.run(program, capture_output=True, text=True, timeout=30, check=False)


def waiting(folder: Path) -> str:
    """What was said to wait."""
    told = folder / "user-data.waiting"
    return told.read_text() if told.exists() else ""


def test_several_scripts_run_in_their_order_and_the_first_failure_counts(tmp_path: Path) -> None:
    parts = [
        {"config": f"#!/bin/sh\necho {word}\nexit {code}"} for word, code in (("a", 0), ("b", 3), ("c", 4))
    ]
    done = boot(tmp_path, multipart(parts))
    assert (done.stdout, done.returncode) == ("a\nb\nc\n", 3)
    assert waiting(tmp_path) == ""


def test_a_part_that_has_ended_is_not_run_again(tmp_path: Path) -> None:
    text = multipart([{"config": "#!/bin/sh\necho once"}])
    assert boot(tmp_path, text).stdout == "once\n"
    assert boot(tmp_path, text).stdout == ""


def test_cloud_config_is_carried_out_as_far_as_it_goes(tmp_path: Path) -> None:
    wanted = {
        "bootcmd": ["echo early"],
        "runcmd": [["printf", "%s\n", "$(no shell)"], "echo late; false"],
        "write_files": [
            {"path": f"{tmp_path}/deep/a", "content": "hello", "permissions": "0600"},
            {"path": f"{tmp_path}/b", "content": "aGk=", "encoding": "b64"},
            {"path": f"{tmp_path}/b", "content": "!", "append": True},
        ],
        "ntp": {"enabled": True},
        "final_message": "all done",
    }
    done = boot(tmp_path, cloud_config(wanted))
    assert done.stdout == "early\n$(no shell)\nlate\n"
    assert done.returncode == 1
    assert "all done" in done.stderr
    assert (tmp_path / "deep" / "a").read_text() == "hello"
    assert (tmp_path / "deep" / "a").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "b").read_text() == "hi!"
    assert waiting(tmp_path) == "ntp"


def test_scripts_come_between_bootcmd_and_runcmd(tmp_path: Path) -> None:
    config = cloud_config({"bootcmd": ["echo 1"], "runcmd": ["echo 3"]})
    done = boot(tmp_path, multipart([{"config": config}, {"config": "#!/bin/sh\necho 2"}]))
    assert (done.stdout, done.returncode) == ("1\n2\n3\n", 0)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("hello", "user-data"),
        (multipart([{"config": "x", "subtype": "part-handler"}]), "part-handler"),
        (multipart([{"config": "x", "subtype": "x-shellscript"}]), "x-shellscript"),
        (cloud_config({"packages": ["a; rm"], "users": ["default"]}), "users.default,packages.a-rm"),
    ],
)
def test_what_is_not_carried_out_is_named(tmp_path: Path, text: str, names: str) -> None:
    assert boot(tmp_path, text).returncode == 0
    assert waiting(tmp_path) == names


def test_cloud_config_that_cannot_be_read_is_a_failure(tmp_path: Path) -> None:
    done = boot(tmp_path, "#cloud-config\n- a list\n")
    assert done.returncode == 1
    assert "cannot be read" in done.stderr
