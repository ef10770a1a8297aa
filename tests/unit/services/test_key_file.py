"""Where the key file is: by the settings, by the environment, or in the state folder."""

from __future__ import annotations

import pytest

from terrace.services.settings import Surroundings, parse


@pytest.mark.parametrize(
    ("text", "environ", "found"),
    [
        ("", {}, "/s/key"),
        ("", {"TERRACE_KEY_FILE": "/run/secrets/key"}, "/run/secrets/key"),
        ('key_file = "~/keys/terrace"', {"TERRACE_KEY_FILE": "/run/secrets/key"}, "/h/keys/terrace"),
    ],
)
def test_where_it_is(text: str, environ: dict[str, str], found: str) -> None:
    around = Surroundings({"HOME": "/h", "TERRACE_STATE": "/s", **environ}, lambda _: False)
    assert parse(text, "server.toml", around).key_file == found
