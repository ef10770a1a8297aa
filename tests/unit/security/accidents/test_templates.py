"""Templates: text of a stranger that must fetch nothing, run nothing, open nothing and exhaust nothing."""

from __future__ import annotations

import json
import re
import socket
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from terrace.drivers.docker import bodies
from terrace.drivers.docker.settings import DockerSettings
from terrace.model.seen import Names, Owner
from terrace.model.spec.machine import MachineSpec, Mount
from tests.unit.api.rig import HEAD, SHOP, STACKS, Rig

ROOT = Path(__file__).parents[4]
VALUE = "resources:\n  v: {type: 'Terrace::Value', properties: {value: %s}}\n"
MACHINE = "resources:\n  vm: {type: 'Terrace::Machine', properties: {image: debian-12%s}}\n"


def codes(answer: Any) -> set[str]:
    """The codes of what is wrong with a template."""
    return {one["code"] for one in answer.json().get("problems") or [answer.json()]}


@pytest.fixture
def inside() -> Iterator[tuple[str, socket.socket]]:
    """A server of the internal network that nobody is to find: its address, and the socket where callers would be."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        probe.listen()
        probe.setblocking(False)
        yield f"http://127.0.0.1:{probe.getsockname()[1]}/latest/meta-data", probe


async def test_heat_cve_2016_9185_no_address_of_a_template_is_ever_asked(
    rig: Rig, inside: tuple[str, socket.socket]
) -> None:
    url, probe = inside
    environment = {
        "files": {"e.yaml": f"resource_registry: {{Mine: '{url}/t.yaml'}}\n"},
        "environments": ["e.yaml"],
    }
    file = url.replace("http:", "file:")
    for text, more in (
        (f"resources: {{x: {{type: '{url}/nested.yaml'}}}}\n", {}),
        (f"resources: {{x: {{type: '{file}/nested.yaml'}}}}\n", {}),
        (VALUE % f"{{get_file: '{url}/text'}}", {}),
        (VALUE % "{get_file: 'file:///etc/passwd'}", {}),
        ("resources: {x: {type: Mine}}\n", environment),
        (f"resources: {{x: {{type: 'Terrace::Image', properties: {{source: '{url}/disk'}}}}}}\n", {}),
        (MACHINE.replace("debian-12", f"'{url}/disk'") % "", {}),
    ):
        answer = await rig.put(text, **more)
        assert answer.status_code == 422, (text, answer.text)
    owned = f"resources: {{x: {{type: 'OS::Heat::Stack', properties: {{template: '{url}'}}}}}}\n"
    told = await rig.up(owned, "owner")
    assert told.json()["phase"] != "settled", "it is looked at when the other stack is made"
    body = {"template": f"{url}/t.yaml", "files": {}}
    assert (await rig.http.put(SHOP, json=body)).status_code in (400, 422)
    assert (await rig.put(VALUE % 1, environments=[f"{url}/e.yaml"])).status_code in (400, 422)
    with pytest.raises(BlockingIOError):
        probe.accept()


async def test_ossn_0011_a_security_group_that_does_not_resolve_is_an_error_and_no_open_door(
    rig: Rig,
) -> None:
    group = "resources:\n  g: {type: 'OS::Neutron::SecurityGroup', properties: {rules: [%s]}}\n"
    for rule in (
        "{remote_mode: remote_group_id, remote_group_id: nowhere, protocol: tcp}",
        "{remote_mode: remote_group_id, remote_group_id: '', protocol: tcp}",
        "{remote_ip_prefix: '', protocol: tcp}",
        "{remote_ip_prefix: nowhere, protocol: tcp}",
        "{remote_group_id: nowhere, protocol: tcp}",
    ):
        answer = await rig.put(group % rule)
        assert answer.status_code == 422, (rule, answer.text)
    for named in ("[nowhere]", "['']"):
        answer = await rig.put(MACHINE % f", security_groups: {named}")
        assert answer.status_code == 422, answer.text
    assert not rig.world.things


@pytest.mark.parametrize(
    "text",
    [
        "!!python/object/apply:os.system ['touch {0}']",
        "!!python/object/new:os.system ['touch {0}']",
        "!!python/name:os.system",
        "!!python/module:os",
        "!<tag:yaml.org,2002:python/object/apply:subprocess.check_output> [['touch', '{0}']]",
    ],
)
async def test_murano_cve_2016_4972_a_tag_of_yaml_runs_nothing(rig: Rig, tmp_path: Path, text: str) -> None:
    trace = tmp_path / "trace"
    said = text.replace("{0}", str(trace))
    for answer in (
        await rig.put(VALUE % said),
        await rig.put(VALUE % 1, files={"e.yaml": f"parameters: {{x: {said}}}\n"}, environments=["e.yaml"]),
    ):
        assert answer.status_code == 422, answer.text
        assert answer.json()["problems"][0]["line"] >= 1
    assert not trace.exists()


def bomb(levels: int) -> str:
    """A billion laughs: each level names the one before nine times."""
    rows = ["a0: &a0 [" + ", ".join(["lol"] * 9) + "]"]
    rows += [f"a{n}: &a{n} [" + ", ".join([f"*a{n - 1}"] * 9) + "]" for n in range(1, levels)]
    return "\n".join(f"  {row}" for row in rows)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (f"outputs:\n{bomb(12)}\n", "too-many-nodes"),
        ("outputs:\n  x: &x [*x]\n", "endless-alias"),
        (f"outputs: {'[' * 5000}{']' * 5000}\n", "too-deep"),
    ],
)
async def test_kubernetes_cve_2019_11253_a_bomb_of_yaml_is_refused_before_it_goes_off(
    rig: Rig, text: str, code: str
) -> None:
    began = time.process_time()
    answer = await rig.put(text)
    assert (answer.status_code, codes(answer)) == (422, {code}), answer.text[:300]
    assert time.process_time() - began < 5
    assert len(answer.content) < 10_000


EVIL = ("a;reboot", "a b", "$(id)", "`id`", "a|b", "../etc", "-rf", "a\n", "a\x00b", "a'b", "é", "", "." * 3)


@pytest.mark.parametrize("name", EVIL)
async def test_dokku_cve_2026_45408_what_is_no_name_is_refused_at_the_edge(rig: Rig, name: str) -> None:
    from urllib.parse import quote

    text = {"template": "t.yaml", "files": {"t.yaml": HEAD + VALUE % 1}}
    told = await rig.http.put(f"{STACKS}/{quote(name, safe='')}", json=text)
    assert told.status_code in (400, 404, 405), told.text
    told = await rig.http.put(f"/v1/projects/{quote(name, safe='')}/stacks/web", json=text)
    assert told.status_code in (400, 404, 405), told.text
    for path, body in (("/v1/projects", {"name": name}), ("/v1/users", {"name": name, "password": "x" * 20})):
        assert (await rig.http.post(path, json=body)).status_code == 400
    for what in (
        f"hostname: {json.dumps(name or '-')}",
        f"volumes: [{{volume: v, path: {json.dumps(name)}}}]",
    ):
        assert (await rig.put(MACHINE % f", {what}")).status_code == 422, what
    assert not rig.world.things


def test_dokku_cve_2026_45408_no_program_is_run_through_a_shell() -> None:
    """Lists of arguments only, wherever the control plane starts a program."""
    shells = re.compile(r"shell\s*=\s*True|os\.(system|popen)\(|create_subprocess_shell|getoutput\(")
    broken = [
        str(path) for path in (ROOT / "src").rglob("*.py") if shells.search(path.read_text(encoding="utf-8"))
    ]
    assert broken == []


async def test_coolify_cve_2025_34159_no_template_mounts_the_host_or_is_privileged(rig: Rig) -> None:
    for what in (
        "privileged: true",
        "volumes: [{volume: /, path: /host}]",
        "volumes: [{volume: /var/run/docker.sock, path: /run/docker.sock}]",
        "volumes: [{volume: ../../etc, path: /host}]",
        "volumes: [{host_path: /etc, path: /host}]",
        "binds: ['/:/host']",
        "devices: [/dev/sda]",
        "cap_add: [SYS_ADMIN]",
        "network_mode: host",
        "networks: [{network: host}]",
        "networks: [{network: 'container:other'}]",
        "pid: host",
    ):
        answer = await rig.put(MACHINE % f", {what}", "evil")
        assert answer.status_code == 422, (what, answer.text)
    assert not rig.world.things
    spec = MachineSpec("m", "i", volumes=(Mount("data", "/var/lib/data"),))
    made = bodies.container(spec, Owner("inst", "u" * 20, 1, "d"), Names("p", "s", "m"), DockerSettings())
    assert {one["Type"] for one in made["HostConfig"]["Mounts"]} == {"volume"}
    assert not set(made["HostConfig"]) & {"Privileged", "Binds", "CapAdd", "Devices", "PidMode", "UsernsMode"}


FORMS = (
    "{{ 7 * 7 }}",
    "{% for x in range(9) %}x{% endfor %}",
    "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "{0.__class__.__init__.__globals__}",
    "%(password)s",
    "${jndi:ldap://127.0.0.1/a}",
    "#{7*7}",
    "<%= 7*7 %>",
)


@pytest.mark.parametrize("form", FORMS)
async def test_salt_cve_2021_25283_and_jinja_cve_2025_27516_the_text_of_a_template_is_never_rendered(
    rig: Rig, form: str
) -> None:
    text = f"""resources:
  v: {{type: 'Terrace::Value', properties: {{value: {json.dumps(form)}}}}}
outputs:
  plain: {{description: {json.dumps(form)}, value: {{get_attr: [v, value]}}}}
  replaced: {{value: {{str_replace: {{template: 'x-P', params: {{P: {json.dumps(form)}}}}}}}}}
"""
    answer = await rig.up(text)
    assert answer.json()["phase"] == "settled", answer.text
    told = {one["name"]: one["value"] for one in (await rig.get(SHOP + "/outputs"))["items"]}
    assert told == {"plain": form, "replaced": f"x-{form}"}


def test_jinja_cve_2025_27516_the_control_plane_has_no_engine_for_it() -> None:
    pins = (ROOT / "requirements.txt").read_text(encoding="utf-8").lower()
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
    for name in ("jinja2", "mako", "chameleon", "django"):
        assert f"\n{name}==" not in pins
        assert not [one for one in wanted if one.lower().startswith(name)]
