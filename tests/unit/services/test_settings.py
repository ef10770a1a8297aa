"""Settings: defaults without a file, and every mistake with its line and key."""

from __future__ import annotations

import re
import tomllib

import pytest

from terrace.errors import DocumentError
from terrace.model.problem import Problem
from terrace.model.stack import OnFailure
from terrace.services.settings import Settings, Surroundings, commented, parse, settings_file


def around(*existing: str, **environ: str) -> Surroundings:
    return Surroundings({"HOME": "/home/ann", **environ}, lambda path: path in existing)


def read(text: str, *existing: str, **environ: str) -> Settings:
    return parse(text, "server.toml", around(*existing, **environ))


def mistakes(text: str) -> list[Problem]:
    with pytest.raises(DocumentError) as raised:
        read(text)
    return list(raised.value.problems)


def test_without_a_file_there_is_the_engine_of_this_machine() -> None:
    settings = parse("", "", around())
    assert settings.state == "/home/ann/.local/state/terrace"
    assert settings.socket == "/home/ann/.local/state/terrace/server.sock"
    assert settings.default_provider == "local"
    local = settings.providers["local"]
    assert (local.driver, local.table) == ("docker", {"host": "unix:///var/run/docker.sock"})
    assert "m1.tiny" in local.catalogue.flavors
    assert local.catalogue.images["debian-12"] == "recipe:debian-12"


def test_where_things_are_follows_the_environment() -> None:
    assert parse("", "", around(XDG_STATE_HOME="/s")).state == "/s/terrace"
    assert parse("", "", around(TERRACE_STATE="/t")).state == "/t"
    assert settings_file(around()) == "/home/ann/.config/terrace/server.toml"
    assert settings_file(around(XDG_CONFIG_HOME="/c")) == "/c/terrace/server.toml"
    assert settings_file(around(TERRACE_SERVER_CONFIG="/x.toml")) == "/x.toml"
    assert read('state = "~/mine"', TERRACE_STATE="/t").state == "/home/ann/mine"


def test_which_engine() -> None:
    private = "/home/ann/.local/state/terrace/engine/docker.sock"
    assert parse("", "", around(private)).providers["local"].table == {"host": f"unix://{private}"}
    given = parse("", "", around(private, DOCKER_HOST="unix:///d.sock"))
    assert given.providers["local"].table == {"host": "unix:///d.sock"}
    remote = around(DOCKER_HOST="tcp://e:2376", DOCKER_TLS_VERIFY="1", DOCKER_CERT_PATH="/c")
    assert parse("", "", remote).providers["local"].table["tls"] == {
        "ca": "/c/ca.pem",
        "cert": "/c/cert.pem",
        "key": "/c/key.pem",
    }


def test_everything_that_can_be_said() -> None:
    settings = read(
        """
        state = "/s"
        socket = "/s/other.sock"
        default_provider = "play"
        [defaults]
        timeout = "5m"
        on_failure = "rollback"
        [limits]
        body = "1M"
        events_age = "7d"
        [tuning]
        resync = 5
        [catalogue.flavors.big]
        memory = 9000
        [catalogue.images]
        web = "nginx:1"
        [providers.play]
        driver = "sim"
        lag = 2.0
        [providers.play.images]
        web = "nginx:2"
        [providers.local]
        driver = "docker"
        """
    )
    assert (settings.defaults.timeout, settings.defaults.on_failure) == (300.0, OnFailure.ROLLBACK)
    assert (settings.limits.body, settings.limits.events_age) == (1024**2, 7 * 86400.0)
    assert settings.tuning.resync == 5.0
    assert settings.default_provider == "play"
    assert settings.providers["play"].table == {"lag": 2.0}
    assert settings.providers["play"].catalogue.images["web"] == "nginx:2"
    assert settings.providers["local"].catalogue.images["web"] == "nginx:1"
    assert settings.providers["local"].catalogue.flavors["big"].memory == 9000


def test_every_mistake_has_its_line_and_key() -> None:
    found = mistakes(
        'stat = "x"\n'
        "socket = 3\n"
        "[limits]\n"
        'docment = "16M"\n'
        'body = "16Q"\n'
        "files = 0\n"
        "[tuning]\n"
        "lease = 2\n"
        "[providers.a]\n"
        'driver = "docker"\n'
        "[providers.a.flavors.b]\n"
        "cpus = 3\n"
        '[providers."x y"]\n'
        'driver = "sim"\n'
        "[providers.c]\n"
        'host = "y"\n'
    )
    assert [(one.line, one.message.split(":")[0], one.hint.startswith("did you mean")) for one in found] == [
        (1, "stat", True),
        (2, "socket", False),
        (4, "limits.docment", True),
        (5, "limits.body", False),
        (6, "limits.files", False),
        (8, "tuning.lease", False),
        (12, "providers.a.flavors.b.cpus", True),
        (13, "providers.x y", False),
        (15, "providers.c.driver", False),
    ]
    assert all(one.file == "server.toml" and one.source for one in found)


def test_what_is_not_toml_has_its_place() -> None:
    (one,) = mistakes('state = "a"\nbroken =\n')
    assert (one.line, one.file, one.source) == (2, "server.toml", "broken =")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("providers = 3", "providers"),
        ("[providers]\nlocal = 3", "providers.local"),
        ("[catalogue]\nimage = {}", "catalogue.image"),
        ("[catalogue]\nimages = 3", "catalogue.images"),
        ("[catalogue.images]\na = 3", "catalogue.images.a"),
        ('default_provider = "moon"', "default_provider"),
        ('[providers.a]\ndriver="sim"\n[providers.b]\ndriver="sim"', "providers"),
        ("limits = 3", "limits"),
        ("[limits]\nevents_age = -3", "limits.events_age"),
    ],
)
def test_single_mistakes(text: str, says: str) -> None:
    (one,) = mistakes(text)
    assert one.message.startswith(says + ":")


def test_the_only_provider_is_the_default_one() -> None:
    assert read('[providers.play]\ndriver = "sim"').default_provider == "play"


def test_the_commented_file_says_the_defaults() -> None:
    text = commented()
    assert not [line for line in text.splitlines() if line and not line.startswith("#")]
    bare = re.sub(r"(?m)^# ?(?=\[|[a-z_]+ = )", "", text)
    settings = read(bare)
    plain = parse("", "", around())
    assert (settings.limits, settings.tuning, settings.defaults) == (
        plain.limits,
        plain.tuning,
        plain.defaults,
    )
    assert (settings.state, settings.socket) == (plain.state, plain.socket)
    assert settings.providers["local"].table == plain.providers["local"].table
    tables = {"limits": plain.limits, "tuning": plain.tuning, "defaults": plain.defaults}
    for name, section in tables.items():
        assert tomllib.loads(bare)[name].keys() == set(section.__struct_fields__), name


def test_which_store() -> None:
    assert read("").store.url == ""
    chosen = read(
        '[store]\nurl = "postgresql://me@db:5432/terrace"\npassword_file = "~/pw"\npatience = "1m"'
    ).store
    assert (chosen.url, chosen.password_file, chosen.patience) == (
        "postgresql://me@db:5432/terrace",
        "/home/ann/pw",
        60.0,
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('url = "mysql://db/x"', "store.url: is no address of a PostgreSQL database"),
        ('url = "postgresql://me:hush@db/x"', "store.url: holds a password"),
        ('url = "postgresql://me@db/x?password=hush"', "store.url: holds a password"),
        ('password_file = "/pw"', "store.password_file: is for no database"),
        ('url = "postgres://me@db/x"\npatience = 1', "store.patience:"),
    ],
)
def test_a_store_that_cannot_be(text: str, message: str) -> None:
    (problem,) = mistakes(f"[store]\n{text}")
    assert problem.message.startswith(message)
    assert "hush" not in repr(problem)
    assert problem.line >= 2
