"""What of a machine goes into an image, and the process 1 that comes with it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from terrace.drivers.docker.images import _by_content, _split
from terrace.drivers.docker.recipes import debian
from terrace.drivers.docker.recipes.debian import RECIPES, digest, survey
from terrace.errors import PermanentError

DEBIAN = RECIPES["debian-12"]
SOURCES = """\
Types: deb
# http://snapshot.example
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main
Signed-By: /usr/share/keyrings/company.gpg

Types: deb
URIs: https://other.example
Suites: nodistro
Components: main
"""


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    for name, text in {
        "etc/apt/sources.list": "# nothing\ndeb http://old.example sid main\n",
        "etc/apt/sources.list.d/debian.sources": SOURCES,
        "etc/apt/sources.list.d/off.list.disabled": "deb http://off.example bookworm main\n",
        "etc/apt/apt.conf.d/10proxy": 'Acquire::http::Proxy "http://proxy.example:3128";\nAPT::Keep "1";\n',
        "etc/pip.conf": "[global]\nindex-url = https://pip.example/simple\nfind-links = /opt/wheels\n"
        "extra-index-url = file:///opt/x https://u:p@secret.example/\n",
        "usr/share/keyrings/company.gpg": "key",
        "usr/local/share/ca-certificates/company.crt": "authority",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def test_survey_takes_what_speaks_of_the_suite(machine: Path) -> None:
    ground = survey(DEBIAN, True, machine, {"https_proxy": "http://proxy.example:3128", "HOME": "/root"})
    assert list(ground.sources) == ["debian.sources"]
    assert "mirror.example" in ground.sources["debian.sources"]
    assert "other.example" not in ground.sources["debian.sources"]
    assert ground.keyrings == {"/usr/share/keyrings/company.gpg": b"key"}
    assert ground.apt == ('Acquire::http::Proxy "http://proxy.example:3128";',)
    assert ground.authorities == {"company.crt": b"authority"}
    assert (
        ground.pip
        == "[global]\nindex-url = https://pip.example/simple\ncert = /etc/ssl/certs/ca-certificates.crt\n"
    )
    assert ground.environment["https_proxy"] == "http://proxy.example:3128"
    assert ground.environment["PIP_CERT"] == debian.BUNDLE
    assert "HOME" not in ground.environment


def test_without_certificates_no_authority_comes_along(machine: Path) -> None:
    ground = survey(DEBIAN, False, machine, {})
    assert not ground.authorities
    assert not ground.environment
    assert "cert" not in ground.pip


def test_a_machine_without_fitting_sources_is_told_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(PermanentError, match="no source for bookworm"):
        survey(DEBIAN, True, tmp_path, {})


def test_the_digest_follows_what_goes_in(machine: Path) -> None:
    first = digest(DEBIAN, survey(DEBIAN, True, machine, {}))
    assert digest(DEBIAN, survey(DEBIAN, True, machine, {})) == first
    (machine / "usr/local/share/ca-certificates/company.crt").write_text("another")
    assert digest(DEBIAN, survey(DEBIAN, True, machine, {})) != first


async def test_no_mmdebstrap_is_said_clearly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(PermanentError, match="mmdebstrap is missing") as caught:
        await debian.build(DEBIAN, debian.Ground({}), tmp_path, lambda words: None)
    assert "apt-get install mmdebstrap" in caught.value.hint


@pytest.mark.parametrize(
    ("reference", "parts"),
    [
        ("nginx", ("nginx", "latest")),
        ("nginx:1.25", ("nginx", "1.25")),
        ("registry.example:5000/nginx", ("registry.example:5000/nginx", "latest")),
        ("registry.example:5000/nginx:1", ("registry.example:5000/nginx", "1")),
        ("nginx@sha256:00", ("nginx@sha256:00", "")),
    ],
)
def test_references(reference: str, parts: tuple[str, str]) -> None:
    assert _split(reference) == parts


def test_an_image_is_named_by_its_content() -> None:
    item = {"Id": "sha256:1", "RepoDigests": ["other@sha256:2", "nginx@sha256:3"]}
    assert _by_content("docker.io/library/nginx:1", item) == "nginx@sha256:3"
    assert _by_content("terrace/debian-12:abc", item) == "terrace/debian-12:abc"
    assert _by_content("made-here:1", {"Id": "sha256:1", "RepoDigests": []}) == "sha256:1"


# --- process 1, run as an ordinary one with a state folder of its own


@pytest.fixture
def init(tmp_path: Path) -> Path:
    script = tmp_path / "init"
    script.write_text(debian.text_of("terrace-init.sh").replace("/var/lib/terrace", str(tmp_path)))
    script.chmod(0o755)
    return script


def run(init: Path, *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([init, *command], capture_output=True, text=True, timeout=20, check=False)


def give(init: Path, text: str) -> None:
    script = init.with_name("user-data")
    script.write_text(text)
    script.chmod(0o700)


def test_init_runs_the_command_and_ends_as_it_does(init: Path) -> None:
    done = run(init, "sh", "-c", "echo hello; exit 3")
    assert (done.stdout, done.returncode) == ("hello\n", 3)


def test_init_runs_user_data_once_and_says_how_it_ended(init: Path) -> None:
    give(init, "#!/bin/sh\necho booting\nexit 7\n")
    first = run(init, "echo", "command")
    assert "booting" in first.stdout
    assert "the user data ended with exit code 7" in first.stdout
    assert first.stdout.endswith("command\n")
    assert init.with_name("user-data.exit").read_text() == "7\n"
    assert run(init, "echo", "command").stdout == "command\n"


def test_init_hands_on_what_is_no_script(init: Path) -> None:
    boot = init.with_name("terrace-first-boot")
    boot.write_text('#!/bin/sh\nprintf ntp,swap >"$1.waiting"\nexit 4\n')
    boot.chmod(0o700)
    give(init, "#cloud-config\n")
    assert "the user data ended with exit code 4" in run(init, "true").stdout
    assert init.with_name("user-data.exit").read_text() == "4 ntp,swap\n"


@pytest.mark.parametrize("command", [(), ("sleep", "1000")])
def test_init_ends_at_once_when_told_to(init: Path, command: tuple[str, ...]) -> None:
    with subprocess.Popen([init, *command]) as running:
        children = Path(f"/proc/{running.pid}/task/{running.pid}/children")
        while not (found := children.read_text().split()):
            pass
        while Path(f"/proc/{found[0]}/comm").read_text() != "sleep\n":
            pass
        running.terminate()
        assert running.wait(timeout=10) in (0, 143)


def test_init_runs_user_data_again_that_was_cut_short(init: Path) -> None:
    give(init, "#!/bin/sh\necho booting\nexec sleep 1000\n")
    with subprocess.Popen([init], stdout=subprocess.PIPE) as running:
        assert running.stdout is not None
        while running.stdout.readline() != b"booting\n":
            pass
        running.terminate()
        assert running.wait(timeout=10) == 143
    assert not init.with_name("user-data.exit").exists()
