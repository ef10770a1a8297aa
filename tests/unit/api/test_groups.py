"""Groups as templates of Heat say them, brought up whole."""

from __future__ import annotations

from typing import Any

from tests.unit.api.rig import SHOP, Rig

CHAIN = """resources:
  chain:
    type: OS::Heat::ResourceChain
    properties:
      resources: ['OS::Heat::Value', 'box.yaml']
      resource_properties: {value: x}
outputs:
  values: {value: {get_attr: [chain, attributes, value]}}
  first: {value: {get_attr: [chain, resource.0.value]}}
"""
BOX = """heat_template_version: 2021-04-16
parameters: {value: {type: string}}
resources: {v: {type: 'OS::Heat::Value', properties: {value: {get_param: value}}}}
outputs: {value: {value: {str_replace: {template: '<V>', params: {V: {get_attr: [v, value]}}}}}}
"""
SCALING = """resources:
  group:
    type: OS::Heat::AutoScalingGroup
    properties:
      min_size: 1
      max_size: 4
      desired_capacity: 2
      resource: {type: box.yaml, properties: {value: y}}
outputs:
  map: {value: {get_attr: [group, outputs, value]}}
  list: {value: {get_attr: [group, outputs_list, value]}}
  size: {value: {get_attr: [group, current_size]}}
  any: {value: {get_attr: [group, value]}}
"""
INSTANCES = """resources:
  config:
    type: AWS::AutoScaling::LaunchConfiguration
    properties: {ImageId: debian-12, InstanceType: m1.tiny, UserData: '#!/bin/sh'}
  group:
    type: OS::Heat::InstanceGroup
    properties: {LaunchConfigurationName: {get_resource: config}, AvailabilityZones: [], Size: SIZE}
outputs: {addresses: {value: {get_attr: [group, InstanceList]}}}
"""


async def outputs(rig: Rig) -> dict[str, Any]:
    return {one["name"]: one["value"] for one in (await rig.get(SHOP + "/outputs"))["items"]}


async def paths(rig: Rig) -> list[str]:
    return [one["path"] for one in (await rig.get(SHOP + "/resources"))["items"]]


async def test_a_chain_of_types(rig: Rig) -> None:
    answer = await rig.up(CHAIN, files={"box.yaml": BOX})
    assert answer.json()["phase"] == "settled", answer.text
    assert await outputs(rig) == {
        "values": {"0": "x", "1": "<x>"},
        "first": "x",
    }
    assert await paths(rig) == ["chain", "chain/0", "chain/1", "chain/1/v"]


async def test_mistakes_in_a_chain_have_their_places(rig: Rig) -> None:
    answer = await rig.put(CHAIN.replace("box.yaml", "OS::Heat::Valu"), files={"box.yaml": BOX})
    (problem,) = answer.json()["problems"]
    assert (problem["line"], problem["code"]) == (6, "unknown-type")
    wrong = await rig.put(CHAIN.replace("value: x", "vale: x"), files={"box.yaml": BOX})
    found = {(one["line"], one["code"]) for one in wrong.json()["problems"]}
    assert found == {(3, "missing-property"), (7, "unknown-property")}


async def test_an_autoscaling_group_of_nested_templates(rig: Rig) -> None:
    answer = await rig.up(SCALING, files={"box.yaml": BOX})
    assert answer.json()["phase"] == "settled", answer.text
    assert await outputs(rig) == {
        "map": {"0": "<y>", "1": "<y>"},
        "list": ["<y>", "<y>"],
        "any": ["<y>", "<y>"],
        "size": 2,
    }


async def test_instances_of_a_launch_configuration(rig: Rig) -> None:
    answer = await rig.up(INSTANCES.replace("SIZE", "2"))
    assert answer.json()["phase"] == "settled", answer.text
    found = [path for path in await paths(rig) if "/" in path]
    assert found == ["group/0", "group/1"]
    assert len((await outputs(rig))["addresses"].split(",")) == 2
    await rig.up(INSTANCES.replace("SIZE", "1"))
    assert [path for path in await paths(rig) if "/" in path] == ["group/1"]
