"""What templates of a project may refer to that they did not make (docs/howto/projects-and-providers.md)."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from terrace.model.seen import Owner
from terrace.model.spec.network import NetworkSpec
from terrace.model.spec.volume import VolumeSpec
from tests.unit.api.rig import HEAD, Rig

A_STACK = """\
resources:
  data: {type: 'Terrace::Volume', properties: {name: secrets%s}}
  lan: {type: 'Terrace::Network', properties: {cidr: 10.1.0.0/24%s}}
  copy: {type: 'Terrace::VolumeSnapshot', properties: {volume: {get_resource: data}%s}}
  at: {type: 'Terrace::Port', properties: {network: {get_resource: lan}}}
  vm: {type: 'Terrace::Machine', properties: {image: debian-12, networks: [{port: {get_resource: at}}]}}
  group: {type: 'Terrace::SecurityGroup', properties: {rules: [{protocol: tcp}]}}
  router: {type: 'Terrace::Router'}
  float: {type: 'Terrace::FloatingIP'}
  range: {type: 'Terrace::Subnet', properties: {network: {get_resource: lan}, cidr: 10.1.0.0/24}}
  lb: {type: 'Terrace::LoadBalancer', properties: {network: {get_resource: lan}}}
  pool: {type: 'Terrace::Pool', properties: {balancer: {get_resource: lb}, protocol: TCP, algorithm: ROUND_ROBIN}}
"""
NAMES = ("data", "copy", "lan", "at", "vm", "group", "router", "float", "range", "lb", "pool")


def shared(*projects: str) -> str:
    said = f", shared_with: [{', '.join(projects)}]" if projects else ""
    return A_STACK % (said, said, said)


async def up(rig: Rig, project: str, template: str, stack: str = "shop", **query: Any) -> Any:
    """PUT of a template of a project; waits until it stands or failed, or a moment."""
    document = json.dumps({"template": "t.yaml", "files": {"t.yaml": HEAD + template}})
    query = {"wait": "settled", "timeout": 2, **query}
    return await rig.http.put(f"/v1/projects/{project}/stacks/{stack}", params=query, content=document)


async def ids(rig: Rig, project: str, stack: str = "shop") -> dict[str, str]:
    """The provider ids of a stack's resources, by path."""
    found = await rig.store.find_stack(project, stack)
    assert found is not None
    return {one.path: one.provider_id for one in await rig.store.records(found.id)}


async def made(rig: Rig, template: str = "") -> dict[str, str]:
    """A stack of project a, settled; its provider ids."""
    answer = await up(rig, "a", template or shared())
    assert answer.json().get("phase") == "settled", answer.text
    return await ids(rig, "a")


def users(have: dict[str, str]) -> dict[str, str]:
    """One resource for every way in which a template can name another's thing."""
    return {
        "volume source": f"{{type: 'Terrace::Volume', properties: {{source: {have['data']}}}}}",
        "volume source by name": "{type: 'Terrace::Volume', properties: {source: secrets}}",
        "snapshot source": f"{{type: 'Terrace::Volume', properties: {{source: {have['copy']}}}}}",
        "snapshot": f"{{type: 'OS::Cinder::Volume', properties: {{snapshot_id: {have['copy']}, size: 1}}}}",
        "snapshot of": f"{{type: 'Terrace::VolumeSnapshot', properties: {{volume: {have['data']}}}}}",
        "mount": "{type: 'Terrace::Machine', properties: {image: debian-12, volumes: "
        f"[{{volume: {have['data']}, path: /mnt}}]}}}}",
        "attachment": "{type: 'Terrace::VolumeAttachment', properties: "
        f"{{volume: {have['data']}, machine: {have['vm']}}}}}",
        "network": "{type: 'Terrace::Machine', properties: {image: debian-12, networks: "
        f"[{{network: {have['lan']}}}]}}}}",
        "network, in short": "{type: 'Terrace::Machine', properties: "
        f"{{image: debian-12, networks: [{have['lan']}]}}}}",
        "port": f"{{type: 'Terrace::Port', properties: {{network: {have['lan']}}}}}",
        "anothers port": "{type: 'Terrace::Machine', properties: {image: debian-12, networks: "
        f"[{{port: {have['at']}}}]}}}}",
        "subnet": f"{{type: 'Terrace::Subnet', properties: {{network: {have['lan']}, cidr: 10.1.0.0/24}}}}",
        "group": f"{{type: 'Terrace::Port', properties: {{network: x, security_groups: ['{have['group']}']}}}}",
        "rule into a group": "{type: 'Terrace::SecurityGroupRule', properties: "
        f"{{security_group: '{have['group']}', protocol: tcp}}}}",
        "rule from a group": "{type: 'Terrace::SecurityGroup', properties: "
        f"{{rules: [{{group: '{have['group']}', protocol: tcp}}]}}}}",
        "interface": "{type: 'Terrace::RouterInterface', properties: "
        f"{{router: '{have['router']}', network: {have['lan']}}}}}",
        "gateway": "{type: 'Terrace::RouterGateway', properties: "
        f"{{router: '{have['router']}', network: outside}}}}",
        "floating to a port": f"{{type: 'Terrace::FloatingIP', properties: {{port: {have['at']}}}}}",
        "floating to a machine": "{type: 'Terrace::FloatingIPAssociation', properties: "
        f"{{floating_ip: {have['float']}, machine: {have['vm']}}}}}",
        "balancer": f"{{type: 'Terrace::LoadBalancer', properties: {{network: {have['lan']}}}}}",
        "balancer on a subnet": f"{{type: 'Terrace::LoadBalancer', properties: {{subnet: {have['range']}}}}}",
        "member on a subnet": "{type: 'Terrace::PoolMember', properties: "
        f"{{pool: x, address: 10.1.0.5, port: 80, subnet: {have['range']}}}}}",
        "member of a pool": "{type: 'Terrace::PoolMember', properties: "
        f"{{pool: {have['pool']}, address: 10.1.0.5, port: 80}}}}",
        "monitor of a pool": "{type: 'Terrace::HealthMonitor', properties: "
        f"{{pool: {have['pool']}, type: TCP, delay: 5, timeout: 3, retries: 3}}}}",
        "listener of a balancer": "{type: 'Terrace::Listener', properties: "
        f"{{balancer: {have['lb']}, protocol: TCP, port: 80}}}}",
        "script": "{type: 'OS::Heat::SoftwareDeployment', properties: "
        f"{{server: {have['vm']}, config: {{get_resource: config}}}}}}",
    }


OTHERWISE = {
    "anothers port": "invalid-property",
    **dict.fromkeys(("group", "rule into a group", "rule from a group"), "unknown-security-group"),
}
"""Ways that are refused before it is asked whose the thing is: only what the template makes can be named so."""
CONFIG = "  config: {type: 'OS::Heat::SoftwareConfig', properties: {group: script, config: reboot}}\n"


@pytest.mark.parametrize("way", sorted(users(dict.fromkeys(NAMES, ""))))
async def test_what_is_anothers_is_not_there(rig: Rig, way: str) -> None:
    have = await made(rig)
    before = set(rig.world.things)
    nowhere = {path: f"{one}9" for path, one in have.items()}
    said = []
    for known in (have, nowhere):
        text = f"resources:\n{CONFIG}  x: {users(known)[way].replace('secrets', known['data'])}\n"
        answer = await up(rig, "b", text)
        assert answer.status_code == 422, answer.text
        problems = answer.json()["problems"]
        refused = {OTHERWISE.get(way, "not-within-reach")}
        assert ({one["code"] for one in problems}, {one["line"] for one in problems}) == (refused, {4})
        told = json.dumps([[one["message"], one["hint"]] for one in problems])
        for one in sorted(known.values(), key=len, reverse=True):
            told = told.replace(one, "X")
        said.append(told)
    assert said[0] == said[1], "what is another's must look like what is nowhere"
    assert set(rig.world.things) == before


async def test_nor_when_the_name_comes_to_light_only_later(rig: Rig) -> None:
    have = await made(rig)
    before = set(rig.world.things)
    template = f"""\
resources:
  name: {{type: 'Terrace::Value', properties: {{value: {have["data"]}}}}}
  lan: {{type: 'Terrace::Network', properties: {{name: {have["data"]}}}}}
  x: {{type: 'Terrace::Volume', properties: {{source: {{get_attr: [name, value]}}}}}}
  y: {{type: 'Terrace::Volume', properties: {{source: {{get_attr: [lan, name]}}}}}}
"""
    answer = await up(rig, "b", template)
    stack = answer.json()
    assert stack["phase"] != "settled"
    found = await rig.store.find_stack("b", "shop")
    assert found is not None
    faults = {one.path: one.fault for one in await rig.store.records(found.id) if one.fault}
    assert {fault.code for fault in faults.values()} == {"not-within-reach"}
    assert set(faults) == {"x", "y"}
    new = [rig.world.things[one] for one in set(rig.world.things) - before]
    assert [thing.kind for thing in new] == ["Network"]


async def test_of_the_same_project_everything_may_be_named(rig: Rig) -> None:
    have = await made(rig)
    template = f"""\
resources:
  x: {{type: 'Terrace::Volume', properties: {{source: {have["data"]}}}}}
  y: {{type: 'Terrace::Volume', properties: {{source: secrets}}}}
  vm: {{type: 'Terrace::Machine', properties: {{image: debian-12, networks: [{{network: {have["lan"]}}}]}}}}
"""
    template = template.replace("source: secrets", f"source: {have['copy']}")
    answer = await up(rig, "a", template, "other")
    assert answer.json().get("phase") == "settled", answer.text


async def test_what_both_say_is_shared_is_and_no_longer_when_one_takes_it_back(rig: Rig) -> None:
    have = await made(rig, shared("b"))
    template = f"""\
resources:
  x: {{type: 'Terrace::Volume', properties: {{source: {have["data"]}}}}}
  z: {{type: 'Terrace::Volume', properties: {{source: {have["copy"]}}}}}
  vm: {{type: 'Terrace::Machine', properties: {{image: debian-12, networks: [{{network: {have["lan"]}}}]}}}}
"""
    answer = await up(rig, "b", template)
    assert answer.json().get("phase") == "settled", answer.text
    assert (await up(rig, "c", template)).status_code == 422
    assert (await up(rig, "a", shared())).json()["phase"] == "settled"
    assert (await ids(rig, "a")) == have, "sharing changes nothing of the things themselves"
    assert (await up(rig, "b", template, "second")).status_code == 422


async def test_machines_are_off_a_network_as_soon_as_it_is_taken_back(rig: Rig) -> None:
    have = await made(rig, shared("b"))
    near = f"""\
resources:
  vm: {{type: 'Terrace::Machine', properties: {{image: debian-12, networks: [{{network: {have["lan"]}}}]}}}}
"""
    by_port = f"""\
resources:
  at: {{type: 'Terrace::Port', properties: {{network: {have["lan"]}}}}}
  vm: {{type: 'Terrace::Machine', properties: {{image: debian-12, networks: [{{port: {{get_resource: at}}}}]}}}}
"""
    stacks = {"near": near, "port": by_port}
    for name, template in stacks.items():
        answer = await up(rig, "b", template, name)
        assert answer.json().get("phase") == "settled", answer.text

    def on(machine: str) -> bool:
        return any(nic.network == have["lan"] for nic in rig.world.things[machine].spec.networks)

    machines = {name: (await ids(rig, "b", name))["vm"] for name in stacks}
    assert all(map(on, machines.values()))
    assert (await up(rig, "a", shared("c"))).json()["phase"] == "settled"
    assert not any(map(on, machines.values()))

    async def fault(name: str) -> str:
        found = await rig.store.find_stack("b", name)
        assert found is not None
        records = {one.path: one for one in await rig.store.records(found.id)}
        return records["vm"].fault.code if records["vm"].fault else ""

    async def until(holds: Any) -> None:
        async with asyncio.timeout(20):
            while not await holds():
                rung = rig.controller.bell.count
                await rig.controller.bell.wait(rung, 0.2)

    async def all_say_why() -> bool:
        assert not any(map(on, machines.values())), "nor does one come back meanwhile"
        return [await fault(name) for name in stacks] == ["not-within-reach"] * 2

    rig.world.hint(machines["near"])  # else it is listed at the next resync
    await until(all_say_why)
    assert not any(map(on, machines.values())), "they do not come back by themselves"
    assert rig.world.things[(await ids(rig, "a"))["vm"]].spec.networks, "the owner's own stays"
    assert (await up(rig, "a", shared("b", "c"))).json()["phase"] == "settled"
    for name in stacks:
        await rig.http.post(f"/v1/projects/b/stacks/{name}/retry")

    async def all_on() -> bool:
        return all(map(on, machines.values()))

    await until(all_on)


async def test_what_nobody_here_made_is_for_the_owners_project_only(rig: Rig) -> None:
    lan = rig.world.create("Network", None, NetworkSpec("lan"), 0.0).provider_id
    theirs = rig.world.create("Volume", Owner("elsewhere", "u", 1), VolumeSpec("theirs"), 0.0).provider_id
    template = f"""\
resources:
  vm: {{type: 'Terrace::Machine', properties: {{image: debian-12, networks: [{{network: {lan}}}]}}}}
  x: {{type: 'Terrace::Volume', properties: {{source: {theirs}}}}}
"""
    assert (await up(rig, "default", template)).json()["phase"] == "settled"
    answer = await up(rig, "b", template)
    assert [one["line"] for one in answer.json()["problems"]] == [3, 4]


async def test_existing_says_what_all_may_name(rig: Rig) -> None:
    rig.controller.tuning.existing["local"] = ("lan-*",)
    good = rig.world.create("Network", None, NetworkSpec("lan-1"), 0.0).provider_id
    bad = rig.world.create("Network", None, NetworkSpec("other"), 0.0).provider_id
    template = "resources:\n  p: {type: 'Terrace::Port', properties: {network: %s}}\n"
    for project in ("default", "b"):
        assert (await up(rig, project, template % good, "good")).json()["phase"] == "settled"
        assert (await up(rig, project, template % bad, "bad")).status_code == 422
    asking = "parameters: {n: {type: string, constraints: [{custom_constraint: neutron.network}]}}\n"
    document = {"template": "t.yaml", "files": {"t.yaml": HEAD + asking}, "parameters": {"n": bad}}
    answer = await rig.http.put("/v1/projects/b/stacks/asks", content=json.dumps(document))
    assert answer.json()["problems"][0]["code"] == "broken-constraint"


async def test_nothing_of_another_is_adopted(rig: Rig) -> None:
    have = await made(rig)
    planted = rig.world.create("Volume", None, VolumeSpec("old"), 0.0).provider_id
    for name in (have["data"], planted):
        template = f"resources:\n  x: {{type: 'Terrace::Volume', external_id: {name}}}\n"
        await up(rig, "b", template, name)
        found = await rig.store.find_stack("b", name)
        assert found is not None
        (record,) = await rig.store.records(found.id)
        assert record.fault is not None
        assert (record.fault.code, record.provider_id) == ("nothing-to-adopt", "")
        assert record.fault.message.startswith("there is no Volume")


async def test_what_one_project_imported_is_its_own(rig: Rig) -> None:
    rig.controller.tuning.existing["local"] = ("*",)
    planted = rig.world.create("Volume", None, VolumeSpec("old"), 0.0).provider_id
    rig.world.adopted.add(planted)
    template = "resources:\n  x: {type: 'Terrace::Volume', properties: {name: old}}\n"
    answer = await rig.http.post(
        "/v1/projects/a/stacks/shop/imports", content=json.dumps({"path": "x", "provider_id": planted})
    )
    assert answer.status_code < 300, answer.text
    assert (await up(rig, "a", template)).json()["phase"] == "settled"
    assert (await ids(rig, "a")) == {"x": planted}
    copying = f"resources:\n  y: {{type: 'Terrace::Volume', properties: {{source: {planted}}}}}\n"
    assert (await up(rig, "b", copying)).status_code == 422
    assert (await up(rig, "a", copying, "other")).json()["phase"] == "settled"


async def test_an_id_is_not_made_up_of_parts(rig: Rig) -> None:
    """Drivers read ids such as UID-1@ADDRESS: a uid of one's own before another's address is no id."""
    reach = rig.controller.reach
    own = "resources:\n  at: {type: 'Terrace::Value', properties: {value: 1}}\n"
    assert (await up(rig, "b", own)).json()["phase"] == "settled"
    (made_here,) = (await ids(rig, "b")).values()
    assert await reach.allows("local", "b", "Port", made_here)
    for forged in (f"{made_here}@10.1.0.5", f"port:{made_here}", f"{made_here}@lan", made_here[:-1] + "2"):
        assert not await reach.allows("local", "b", "Port", forged)
        assert not await reach.allows("local", "b", "Subnet", forged)


async def test_an_address_leads_to_the_port_that_a_load_balancer_was_given(rig: Rig) -> None:
    template = """\
resources:
  lan: {type: 'Terrace::Network', properties: {cidr: 10.1.0.0/24}}
  lb: {type: 'Terrace::LoadBalancer', properties: {network: {get_resource: lan}}}
  float: {type: 'Terrace::FloatingIP', properties: {port: {get_attr: [lb, port]}}}
"""
    answer = await up(rig, "a", template)
    assert answer.json().get("phase") == "settled", answer.text
