"""Commands that show things: status, list, history, output, events, logs, plan, nouns."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from terrace.cli.verbs.status import PHASES, STATES
from terrace.model.record import State
from terrace.model.stack import Phase
from tests.unit.cli.samples import SHOP, STACKS, event, item, page, plan, resource, stack, stream
from tests.unit.client.fake_server import Answer, problem

GROUP = [
    resource("group", kind="Group"),
    resource("group/0", kind="Machine", state="creating", why="pulling the image"),
    resource("old", departing=True, why="replaced", state="departing", incarnation=2),
]


def test_status_is_a_tree_with_reasons(terrace, routes) -> None:
    routes[f"GET {SHOP}"] = stack(phase="failing", why="group/0 is creating", failing=1, ready=1)
    routes[f"GET {SHOP}/resources"] = page(*GROUP)
    ran = terrace("status", "shop")
    assert ran.code == 0
    assert ran.out == (
        "shop  failing  generation 1  1 of 2 resources ready, 1 failing\n"
        "  group/0 is creating\n"
        "  group  Group    ready         -\n"
        "    0    Machine  creating      -  pulling the image\n"
        "  old    Value    departing     -  on its way out (incarnation 2): replaced\n"
    )


def test_what_failed_says_when_it_is_tried_again(terrace, routes) -> None:
    routes[f"GET {SHOP}"] = stack(phase="failing", why="a is failing: full", failing=1, ready=1)
    soon, now = ({"message": "full", "retry_at": time.time() + after} for after in (300.0, -1.0))
    failing = [resource(name, state="failing", why="full", fault=soon) for name in "ab"]
    routes[f"GET {SHOP}/resources"] = page(*failing, resource("c", fault=now))
    _, head, *lines = terrace("status", "shop").out.splitlines()
    assert head == "  a is failing: full; tried again in 5m"
    assert [line.partition("-  ")[2] for line in lines] == ["full; tried again in 5m"] * 2 + [""]
    routes[f"GET {SHOP}/resources"] = page(resource("a", state="failing", why="full", fault=now))
    assert "full; tried again now" in terrace("status", "shop").out


def test_people_get_a_page_and_programs_get_everything(terrace, routes, server) -> None:
    routes[f"GET {SHOP}"] = stack()
    pages = {None: page(resource("a"), more="after-a"), "after-a": page(resource("b"))}
    routes[f"GET {SHOP}/resources"] = lambda request: Answer(pages[request.query.get("cursor", [None])[0]])
    ran = terrace("status", "shop", "--limit", "1")
    assert "  a  Value" in ran.out
    assert "  b  Value" not in ran.out
    assert ran.err == "terrace: more: terrace status shop --after after-a    (all of it: --all)\n"
    assert terrace("status", "shop", "--after", "after-a").out.count("Value") == 1
    assert [
        entry["path"] for entry in json.loads(terrace("status", "shop", "-o", "json").out)["resources"]
    ] == ["a", "b"]
    assert terrace("status", "shop", "-o", "name").out == "shop/a\nshop/b\n"
    assert terrace("status", "shop", "--all").out.count("Value") == 2


def test_status_follows(terrace, routes) -> None:
    routes[f"GET {SHOP}"] = [Answer(stack(settled=0, phase="settling")), Answer(stack())]
    routes[f"GET {SHOP}/events"] = stream(event(1, "stack.settled"))
    routes[f"GET {SHOP}/outputs"] = page()
    assert terrace("status", "shop", "-f").code == 0


def test_no_stacks(terrace, routes) -> None:
    routes[f"GET {STACKS}"] = page()
    ran = terrace("list")
    assert (ran.out, ran.err) == ("", "terrace: no stacks yet. Make one: terrace up TEMPLATE\n")
    assert json.loads(terrace("list", "-o", "json").out) == []


def test_stacks_in_every_form(terrace, routes) -> None:
    routes[f"GET {STACKS}"] = page(stack(description="a shop"))
    assert terrace("list").out.splitlines()[1] == "shop   settled  2/2    1           -      a shop"
    assert "id-of-shop" in terrace("list", "-o", "wide").out
    assert terrace("list", "-o", "name").out == "shop\n"
    assert terrace("list", "-o", "yaml").out.startswith("- name: shop\n")


def test_history(terrace, routes) -> None:
    old = {"number": 1, "created": 100.0, "who": "eve", "why": "up", "settled": 101.5, "failed": ""}
    new = {
        "number": 2,
        "created": 200.0,
        "who": "bob",
        "why": "rollback to 1",
        "settled": 0.0,
        "failed": "web: no",
    }
    routes[f"GET {SHOP}/generations"] = page(new, old)
    rows = terrace("history", "shop").out.splitlines()
    assert rows[1].split()[0] == "2"
    assert rows[1].endswith("bob  rollback to 1  failed: web: no")
    assert rows[2].endswith("eve  up             settled after 1.5s")
    routes[f"GET {SHOP}/generations/1"] = {**old, "files": {"shop.yaml": "resources: {}"}}
    assert terrace("history", "shop", "--show", "1").out == "# shop.yaml\nresources: {}\n"


def test_outputs(terrace, routes, server) -> None:
    url = {"name": "url", "value": "http://x/", "secret": False}
    ports = {"name": "ports", "value": [80, 443], "secret": False}
    routes[f"GET {SHOP}/outputs"] = page(ports, url)
    routes[f"GET {SHOP}/outputs/url"] = url
    assert terrace("output", "shop").out == "OUTPUT  VALUE\nports   [80, 443]\nurl     http://x/\n"
    assert terrace("output", "shop", "url").out == "http://x/\n"
    terrace("output", "shop", "--reveal")
    assert server.requests[-1].query["reveal"] == ["1"]


def test_events(terrace, routes, server) -> None:
    routes[f"GET {SHOP}/events"] = page(
        event(1, "resource.ready", "web", message="running"), event(2, "stack.settled")
    )
    ran = terrace("events", "shop", "-n", "5")
    assert server.requests[-1].query == {"newest": ["1"], "limit": ["5"]}
    assert [line.split()[2:] for line in ran.out.splitlines()] == [
        ["web", "ready", "running"],
        ["-", "stack.settled"],
    ]
    assert [
        json.loads(line)["number"] for line in terrace("events", "shop", "-o", "json").out.splitlines()
    ] == [1, 2]


def test_events_follow_from_the_last_one_shown(terrace, routes, server) -> None:
    def answer(request):
        if "watch" in request.query:
            return (
                problem(404, "not-found", "that is enough")
                if request.query["after"] == ["3"]
                else Answer(pieces=stream(event(3, "stack.gone")).pieces, cut=True)
            )
        return Answer(page(event(2, "stack.settled")))

    routes["GET /v1/projects/default/events"] = answer
    ran = terrace("events", "-f")
    assert [line.split()[-1] for line in ran.out.splitlines()] == ["stack.settled", "stack.gone"]
    assert ran.err == "error: that is enough\n"


def test_logs_name_their_machine_unless_there_is_one(terrace, routes, server) -> None:
    lines = b'{"path": "web", "stream": "stdout", "at": 0, "text": "hello"}\n'
    routes[f"GET {SHOP}/logs"] = Answer(pieces=(lines,))
    assert terrace("logs", "shop").out == "web | hello\n"
    assert terrace("logs", "shop/web", "-n", "3").out == "hello\n"
    assert server.requests[-1].query == {"path": ["web"], "tail": ["3"]}
    assert json.loads(terrace("logs", "shop", "-o", "json").out)["text"] == "hello"


def test_an_error_in_the_middle_of_a_log(terrace, routes) -> None:
    routes[f"GET {SHOP}/logs"] = Answer(pieces=(b'{"code": "x", "message": "the engine went away"}\n',))
    ran = terrace("logs", "shop/web")
    assert ran.code == 1
    assert ran.err == "error: the engine went away\n"


DIFFERENCES = [
    {"field": "image", "before": "a", "after": "b", "forces": True, "certain": True, "drift": False},
    {
        "field": "user",
        "before": None,
        "after": "(known after apply)",
        "forces": True,
        "certain": False,
        "drift": True,
    },
]


def test_plan(terrace, routes, tmp_path: Path) -> None:
    (tmp_path / "shop.yaml").write_text("heat_template_version: 2021-04-16\n")
    entries = [
        item("web", "replace", certain=False, differences=DIFFERENCES, delete_first=True, reason="image"),
        item("bad", "refused", hint="do that"),
        item("pic", "create", kind="Image", implied=True),
        item("same", "nothing"),
    ]
    routes[f"PUT {SHOP}"] = plan(*entries)
    ran = terrace("plan", "shop.yaml")
    assert ran.code == 1  # since something is refused
    assert ran.out == (
        "-/+ web  Machine  may replace: image (the old one goes first)\n"
        "      image: a -> b  (forces a replacement)\n"
        "      user: (none) -> (known after apply)  (may force a replacement, changed outside Terrace)\n"
        "  x bad  Machine  refused\n"
        "      help: do that\n"
        "  + pic  Image (implied)  create\n"
        "\n"
        "shop: 1 to create, 1 to replace, 1 refused, 1 unchanged\n"
    )
    assert terrace("plan", "shop.yaml", "-o", "name").out == "web\nbad\npic\n"


def test_a_plan_without_changes(terrace, routes, tmp_path: Path) -> None:
    (tmp_path / "shop.yaml").write_text("heat_template_version: 2021-04-16\n")
    routes[f"PUT {SHOP}"] = plan(item("same", "nothing"))
    ran = terrace("plan", "shop.yaml")
    assert (ran.code, ran.out) == (0, "shop: nothing to change (1 as wanted)\n")


PROVIDERS = page(
    {"name": "builtin", "driver": "builtin", "reachable": True, "why": "", "listed": 0.0, "default": False},
    {
        "name": "local",
        "driver": "docker",
        "reachable": False,
        "why": "no answer",
        "listed": 0.0,
        "default": True,
    },
)


def test_nouns(terrace, routes) -> None:
    routes["GET /v1/providers"] = PROVIDERS
    for name in ("builtin", "local"):
        routes[f"GET /v1/providers/{name}/ghosts"] = page()
        routes[f"GET /v1/providers/{name}/images"] = page()
        routes[f"GET /v1/providers/{name}/flavors"] = page()
    flavor = {"name": "m1.tiny", "cpu": 1.0, "memory": 512, "disk": 0, "pids": 0}
    routes["GET /v1/providers/local/flavors"] = page(flavor)
    image = {"name": "debian-12", "source": "recipe:debian-12", "present": None, "provider_id": ""}
    routes["GET /v1/providers/local/images"] = page(image)
    assert "local (default)  docker   failing" in terrace("provider", "list").out
    assert "driver        docker" in terrace("provider", "show", "local").out
    assert terrace("provider", "show", "none").code == 1
    assert terrace("flavor", "list").out.splitlines()[1].split() == [
        "local",
        "m1.tiny",
        "1",
        "512",
        "MiB",
        "any",
        "any",
    ]
    assert terrace("image", "list", "-o", "name").out == "debian-12\n"
    assert terrace("ghost", "list").err == "terrace: no ghosts\n"


def test_an_image_that_cannot_be_had(terrace, routes, server) -> None:
    told = (
        b'{"note": "fetching x"}\n',
        b'{"code": "provider-refused", "message": "no such image", "hint": "h"}\n',
    )
    routes["POST /v1/providers/local/images"] = Answer(pieces=told)
    ran = terrace("image", "pull", "x")
    assert (ran.code, ran.err) == (1, "fetching x\nerror: no such image\n  help: h\n")
    routes["POST /v1/providers/local/images"] = Answer(
        pieces=(b'{"note": "done", "provider_id": "sha256:1"}\n',)
    )
    assert terrace("image", "build", "debian-12").out == "sha256:1\n"
    assert server.requests[-1].body == {"source": "recipe:debian-12"}


def test_a_ghost_that_holds_data_is_not_reaped_without_a_yes(terrace, routes, server) -> None:
    ghost = {
        "provider": "local",
        "provider_id": "v1",
        "kind": "Volume",
        "name": "",
        "state": "",
        "kept": "data",
        "since": 1,
    }
    routes["GET /v1/providers/local/ghosts"] = page(ghost)
    routes["POST /v1/providers/local/ghosts/v1/reap"] = Answer(status=204)
    assert "The data of v1 goes with it." in terrace("ghost", "reap", "local", "v1").err
    assert server.asked("POST") == []
    assert terrace("ghost", "reap", "local", "v1", "--yes").code == 0


def test_version_does_not_need_a_server(terrace, routes, monkeypatch) -> None:
    monkeypatch.setenv("TERRACE_SERVER", "unix:///nowhere.sock")
    assert "does not run" in terrace("version").out


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_completion_scripts(terrace, shell: str) -> None:
    assert "_TERRACE_COMPLETE" in terrace("completion", shell).out


def test_doctor_says_how_to_mend_each_fault(terrace, routes, tmp_path: Path) -> None:
    state = tmp_path / "state" / "terrace"
    state.mkdir(parents=True, mode=0o755)
    (state / "key").write_text("k")
    (state / "key").chmod(0o644)
    routes["GET /v1/version"] = {"version": "9.9", "installation": "i"}
    fault = {"name": "provider local", "health": "fault", "message": "no answer", "hint": "start docker"}
    routes["GET /v1/doctor"] = {"healthy": False, "checks": [fault]}
    ran = terrace("doctor")
    assert ran.code == 1
    for help_text in (
        f"chmod 700 {state}",
        f"chmod 600 {state}/key",
        "start docker",
        "let both be of one version",
    ):
        assert f"help: {help_text}" in ran.out


def test_stacks_are_listed_by_phase_and_name(terrace, server, routes) -> None:
    routes[f"GET {STACKS}"] = page()
    ran = terrace("list", "--phase", "failing", "--name", "web")
    assert (ran.code, ran.err) == (0, "terrace: no stack is like that\n")
    assert server.requests[-1].query == {"limit": ["1000"], "phase": ["failing"], "name": ["web"]}


def test_events_of_a_project_of_all_and_only_some(terrace, routes, server) -> None:
    routes["GET /v1/projects/default/events"] = page(event(1, "stack.settled"))
    routes["GET /v1/projects/shop/events"] = page(event(2, "resource.failing", "web"))
    routes["GET /v1/events"] = page(event(3, "ghost.found"))
    assert "stack.settled" in terrace("events").out
    assert "web" in terrace("events", "--project", "shop", "--kind", "resource.", "--path", "web").out
    assert server.requests[-1].query == {
        "newest": ["1"], "limit": ["50"], "kind": ["resource."], "path": ["web"],
    }  # fmt: skip
    assert "ghost.found" in terrace("events", "--all").out
    began = time.time()
    terrace("events", "--since", "2h")
    assert 0 <= float(server.requests[-1].query["since"][0]) - (began - 7200) < 60
    assert "is no length of time" in terrace("events", "--since", "soon").err
    assert "--all is for all stacks" in terrace("events", "shop", "--all").err


def test_events_above_a_number_come_in_pages(terrace, routes, server) -> None:
    pages = {None: page(event(8, "stack.settled"), more="x"), "x": page(event(9, "stack.gone"))}
    routes[f"GET {SHOP}/events"] = lambda request: Answer(pages[request.query.get("cursor", [None])[0]])
    shown = terrace("events", "shop", "--after", "7", "-o", "json").out
    assert [json.loads(line)["number"] for line in shown.splitlines()] == [8, 9]
    assert server.requests[-1].query["after"] == ["7"]


def test_resources_by_state_and_kind(terrace, routes, server) -> None:
    routes[f"GET {SHOP}"] = stack()
    routes[f"GET {SHOP}/resources"] = page(resource("a"), more="m")
    ran = terrace("status", "shop", "--state", "failing", "--kind", "Machine", "--under", "g")
    query = {"limit": ["200"], "state": ["failing"], "kind": ["Machine"], "under": ["g"]}
    assert server.requests[-1].query == query
    assert "terrace status shop --under g --state failing --kind Machine --after m" in ran.err
    assert terrace("status", "shop", "--state", "failed").code != 0
    assert "are for the resources of one stack" in terrace("status", "--state", "failing").err


def test_the_words_are_those_of_the_api() -> None:
    gone = {State.GONE, Phase.GONE}
    assert set(STATES) == {state.value for state in State} - gone
    assert set(PHASES) == {phase.value for phase in Phase} - gone


def test_a_limit_stops_reading_and_says_that_there_is_more(terrace, routes, server) -> None:
    heads = [stack(name=f"s{number}") for number in range(3)]
    routes[f"GET {STACKS}"] = lambda request: Answer(page(*heads[: int(request.query["limit"][0])], more="m"))
    ran = terrace("list", "--limit", "2", "-o", "name")
    assert ran.out == "s0\ns1\n"
    assert "more than 2" in ran.err
    assert [request.query["limit"] for request in server.requests] == [["3"]]
    routes[f"GET {STACKS}"] = page(*heads)
    assert terrace("list", "--limit", "3").err == ""


def test_lists_are_narrowed_by_the_server(terrace, routes, server) -> None:
    cases = {
        ("user", "list", "--name", "a", "--from", "ldap"): ("/v1/users", {"name": ["a"], "source": ["ldap"]}),
        ("group", "list", "--name", "d"): ("/v1/groups", {"name": ["d"]}),
        ("project", "list", "--name", "s"): ("/v1/projects", {"name": ["s"]}),
        ("project", "members", "x", "--kind", "group"): ("/v1/projects/x/members", {"kind": ["group"]}),
        ("token", "list", "--kind", "session"): ("/v1/tokens", {"kind": ["session"]}),
        ("secret", "list", "--name", "db"): ("/v1/projects/default/secrets", {"name": ["db"]}),
        ("hook", "list", "shop", "--hook", "pre-delete"): (f"{SHOP}/hooks", {"hook": ["pre-delete"]}),
        ("provider", "list", "--here"): ("/v1/providers", {"project": ["default"]}),
        ("list", "--phase", "failing"): (STACKS, {"phase": ["failing"]}),
    }
    for words, (path, query) in cases.items():
        routes[f"GET {path}"] = page()
        assert terrace(*words).code == 0, words
        assert server.requests[-1].query == {"limit": ["1000"], **query}, words
