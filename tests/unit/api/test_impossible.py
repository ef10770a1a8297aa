"""What cannot be is refused before anything is saved, though nobody asked for a plan: all of it, each at its place."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.api.rig import SHOP, Rig

FINE = "resources:\n  a: {type: 'Terrace::Value', properties: {value: 1}}\n"


async def refused(rig: Rig, template: str, **more: Any) -> list[tuple[int, int, str]]:
    """Where an apply is refused and why; nothing of it was begun."""
    answer = await rig.put(FINE + template, **more)
    assert answer.status_code == 422, answer.text
    assert (await rig.http.get(SHOP)).status_code == 404
    assert not rig.world.things
    return [(one["line"], one["column"], one["message"]) for one in answer.json()["problems"]]


async def test_what_does_not_fit_its_kind_is_told_at_its_resource(rig: Rig) -> None:
    found = await refused(
        rig,
        "  g:\n    type: OS::Heat::AutoScalingGroup\n"
        "    properties: {min_size: 3, max_size: 2, resource: {type: 'OS::Heat::RandomString'}}\n"
        "  w: {type: 'OS::Heat::WaitCondition', properties: {handle: nobody, timeout: 5}}\n",
    )
    assert [(line, column) for line, column, _ in found] == [(4, 3), (7, 3)]
    assert 'property "min_size" 3 is more than max_size' in found[0][2]
    assert 'property "handle" the handle must be given by get_resource' in found[1][2]


@pytest.mark.parametrize(
    "template",
    [
        "  g: {type: 'OS::Heat::ResourceGroup', properties: {resource_def: {type: inner.yaml}}}\n",
        "  g: {type: 'OS::Heat::ResourceGroup', properties: {resource_def: {type: 'OS::Heat::WaitCondition', "
        "properties: {handle: nobody, timeout: 5}}}}\n",
        "  g: {type: 'OS::Heat::ResourceChain', properties: {resources: ['OS::Heat::WaitCondition'], "
        "resource_properties: {handle: nobody, timeout: 5}}}\n",
    ],
)
async def test_so_is_what_is_in_groups_chains_and_nested_templates(rig: Rig, template: str) -> None:
    inner = (
        "heat_template_version: 2018-08-31\nresources:\n"
        "  w: {type: 'OS::Heat::WaitCondition', properties: {handle: nobody, timeout: 5}}\n"
    )
    (one,) = await refused(rig, template, files={"inner.yaml": inner})
    assert one[:2] == ((3, 3) if "inner" in template else (4, 3))
    assert "the handle must be given by get_resource" in one[2]


async def test_what_a_provider_does_not_offer_is_refused(rig: Rig) -> None:
    text = "  f: {type: 'Terrace::LoadBalancer', properties: {provider: builtin, subnet: x}}\n"
    (one,) = await refused(rig, text)
    assert one == (4, 3, 'resource "f": its provider offers no LoadBalancer')


async def test_what_is_known_only_later_is_left_to_the_plan(rig: Rig) -> None:
    later = (
        "  n: {type: 'Terrace::Value', properties: {value: 3}}\n"
        "  g:\n    type: OS::Heat::AutoScalingGroup\n"
        "    properties:\n      min_size: {get_attr: [n, value]}\n      max_size: 2\n"
        "      resource: {type: 'OS::Heat::RandomString'}\n"
        "  c:\n    type: OS::Heat::ResourceGroup\n"
        "    properties: {count: 2, resource_def: {type: 'OS::Heat::RandomString', properties: {length: '1%index%'}}}\n"
    )
    assert (await rig.put(FINE + later)).status_code in (200, 201, 202)
