"""Heat's software as a user has it: first boots, deployments, volumes from snapshots, flavors of a template."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.real.level.rig import Terrace

SHEBANG = "#!/bin/sh\n"


def get(name: str, *path: Any) -> Any:
    return {"get_attr": [name, *path]} if path else {"get_resource": name}


def heat(kind: str, **properties: Any) -> dict[str, Any]:
    return {"type": f"OS::{kind}", "properties": properties}


def script(text: str, **more: Any) -> dict[str, Any]:
    return heat("Heat::SoftwareConfig", group="script", config=SHEBANG + text, **more)


def booting(version: int) -> dict[str, Any]:
    """A server whose user data has three parts and that runs a script afterwards."""
    return {
        "small": heat("Nova::Flavor", ram=96, vcpus=1),
        "together": heat("Nova::ServerGroup", policies=["affinity"]),
        "first": script("echo first >> /ran\n"),
        "told": heat(
            "Heat::CloudConfig", cloud_config={"write_files": [{"path": "/etc/told", "content": "hello"}]}
        ),
        "boot": heat(
            "Heat::MultipartMime",
            parts=[
                {"config": get("first")},
                {"config": get("told")},
                {"config": f"{SHEBANG}echo last >> /ran\n"},
            ],
        ),
        "web": heat(
            "Nova::Server",
            image="debian-12",
            flavor=get("small"),
            scheduler_hints={"group": get("together")},
            networks=[{"allocate_network": "auto"}],
            user_data=get("boot"),
            user_data_format="SOFTWARE_CONFIG",
        ),
        "greet": script(
            'echo "$deploy_action $version" | tee -a /deployed\nprintf %s "$version" > "$heat_outputs_path.result"\n',
            inputs=[{"name": "version"}],
            outputs=[{"name": "result"}],
        ),
        "run": heat(
            "Heat::SoftwareDeployment",
            config=get("greet"),
            server=get("web"),
            input_values={"version": version},
        ),
    }


OUTPUTS = {
    "result": {"value": get("run", "result")},
    "said": {"value": get("run", "deploy_stdout")},
    "code": {"value": get("run", "deploy_status_code")},
}


def outputs(terrace: Terrace) -> dict[str, Any]:
    return {name: terrace("output", "soft", name).out.strip() for name in OUTPUTS}


def test_a_server_boots_what_it_was_given_and_a_script_follows(terrace: Terrace, base_image: str) -> None:
    terrace("up", terrace.write("soft", booting(1), outputs=OUTPUTS), "--yes")
    assert terrace("exec", "soft/web", "--", "cat", "/ran", "/etc/told").out == "first\nlast\nhello"
    assert outputs(terrace) == {"result": "1", "said": "CREATE 1", "code": "0"}
    assert terrace.inspect("soft", "web")["HostConfig"]["Memory"] == 96 * 1024 * 1024
    terrace("up", terrace.write("soft", booting(2), outputs=OUTPUTS), "--yes")
    assert outputs(terrace) == {"result": "2", "said": "UPDATE 2", "code": "0"}
    assert terrace("exec", "soft/web", "--", "cat", "/deployed").out == "CREATE 1\nUPDATE 2\n"
    assert terrace("plan", terrace.write("soft", booting(2), outputs=OUTPUTS)).code == 0
    terrace.down("soft")


def test_user_data_that_nobody_runs_fails_the_generation_and_says_what_would(
    terrace: Terrace, tiny_image: str
) -> None:
    server = heat("Nova::Server", image=tiny_image, flavor="m1.micro", user_data=SHEBANG)
    said = terrace.up("soft", {"web": server}, code=1)
    assert "nothing in this image runs it" in said.out + said.err
    assert terrace.resources("soft")["web"]["state"] == "waiting"
    head = terrace.head("soft")
    assert (head["phase"], head["settled"]) == ("settling", 0)
    terrace.up("soft", {"web": heat("Nova::Server", image=tiny_image, flavor="m1.micro")})
    terrace.down("soft")


def test_a_volume_is_made_from_a_snapshot_and_grows(
    terrace: Terrace, tiny_image: str, base_image: str
) -> None:
    def disks(size: int, *, copy: bool) -> dict[str, Any]:
        found = {
            "data": heat("Cinder::Volume", size=size),
            "web": heat(
                "Nova::Server",
                image=tiny_image,
                flavor="m1.micro",
                block_device_mapping_v2=[{"device_name": "data", "volume_id": get("data")}],
            ),
        }
        kept = {"type": "Terrace::VolumeSnapshot", "properties": {"volume": get("data")}}
        again = {
            "kept": kept,
            "copy": heat("Cinder::Volume", size=size, snapshot_id=get("kept")),
            "reader": heat(
                "Nova::Server",
                image=tiny_image,
                flavor="m1.micro",
                block_device_mapping=[{"device_name": "vdb", "volume_id": get("copy")}],
            ),
        }
        return {**found, **again} if copy else found

    terrace.up("soft", disks(1, copy=False))
    terrace("exec", "soft/web", "--", "sh", "-c", "echo kept > /mnt/data/file")
    terrace.up("soft", disks(1, copy=True))
    assert terrace("exec", "soft/reader", "--", "cat", "/mnt/vdb/file").out == "kept\n"
    before = terrace.container("soft", "web")
    outputs = {"size": {"value": get("data", "size")}}
    terrace("up", terrace.write("soft", disks(3, copy=True), outputs=outputs), "--yes")
    assert terrace("output", "soft", "size").out.strip() == "3"
    assert terrace.container("soft", "web") == before
    terrace.down("soft")
