"""Parameters that the server checks: those that never change, and those that name what a provider has."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.api.rig import Rig

VALUE = "resources: {v: {type: 'Terrace::Value', properties: {value: {get_param: p}}}}\n"
FIXED = "parameters: {p: {type: string, default: a, immutable: true%s}}\n" + VALUE
NAMED = "parameters: {p: {type: %s, default: any, constraints: [{custom_constraint: %s}]}}\n" + VALUE


def codes(response: Any) -> list[tuple[str, int, int]]:
    return [(one["code"], one["line"], one["column"]) for one in response.json()["problems"]]


async def test_an_immutable_parameter_keeps_its_value(rig: Rig) -> None:
    assert (await rig.up(FIXED % "")).status_code in (200, 201)
    refused = await rig.put(FIXED % "", parameters={"p": "b"})
    assert refused.status_code == 422
    assert codes(refused) == [("immutable-parameter", 2, 14)]
    plan = await rig.put(FIXED % "", parameters={"p": "b"}, query={"dry_run": "1"})
    assert plan.status_code == 422
    assert (await rig.put(FIXED % "", parameters={"p": "a"})).status_code == 200
    assert (
        await rig.put(FIXED.replace("immutable: true", "immutable: false") % "", parameters={"p": "b"})
    ).is_success


async def test_a_hidden_one_too_without_being_shown(rig: Rig) -> None:
    assert (await rig.up(FIXED % ", hidden: true", parameters={"p": "s3cret-one"})).is_success
    refused = await rig.put(FIXED % ", hidden: true", parameters={"p": "s3cret-two"})
    assert refused.status_code == 422
    assert "s3cret" not in refused.text
    assert (await rig.put(FIXED % ", hidden: true", parameters={"p": "s3cret-one"})).is_success


@pytest.mark.parametrize(
    ("constraint", "fits", "wrong"),
    [
        ("nova.flavor", "m1.tiny", "m1.tinny"),
        ("glance.image", "debian-12", "debain-12"),
        ("neutron.network", None, "nowhere"),
        ("cinder.volume", None, "nothing"),
    ],
)
async def test_the_provider_is_asked_for_what_a_parameter_names(
    rig: Rig, constraint: str, fits: str | None, wrong: str
) -> None:
    template = NAMED % ("string", constraint)
    refused = await rig.put(template, parameters={"p": wrong})
    assert refused.status_code == 422
    assert codes(refused) == [("broken-constraint", 2, 14)]
    assert constraint in refused.json()["problems"][0]["message"]
    assert (await rig.put(template)).is_success, "a default is not asked for"
    if fits is not None:
        assert (await rig.put(template, parameters={"p": fits})).is_success


async def test_each_of_a_list_is_asked_for(rig: Rig) -> None:
    template = NAMED % ("comma_delimited_list", "nova.flavor")
    assert (await rig.put(template, parameters={"p": "m1.tiny,m1.small"})).is_success
    assert (await rig.put(template, parameters={"p": "m1.tiny,m1.smal"})).status_code == 422


async def test_what_no_provider_knows_is_not_asked_for(rig: Rig) -> None:
    for constraint in ("nova.keypair", "keystone.project", "cinder.vtype"):
        assert (await rig.put(NAMED % ("string", constraint), parameters={"p": "any"})).is_success


async def test_where_it_was_given_it_is_said(rig: Rig) -> None:
    files = {"e.yaml": "parameters:\n  p: m1.tinny\n"}
    refused = await rig.put(NAMED % ("string", "nova.flavor"), files=files, environments=["e.yaml"])
    (problem,) = refused.json()["problems"]
    assert (problem["file"], problem["line"], problem["column"]) == ("e.yaml", 2, 6)
