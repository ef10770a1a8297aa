"""First boots and deployments on a real engine: what the guest runs, once, and what it says of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from msgspec.structs import replace

from terrace.drivers.docker.settings import DockerSettings
from terrace.errors import PermanentError
from terrace.kinds.software.text import cloud_config, multipart
from terrace.model.spec.machine import Mount, Nic
from terrace.model.spec.simple import ImageSpec
from terrace.model.spec.software import DeploymentSpec
from terrace.model.step import Step, Verb
from terrace.model.value import Secret
from tests.contracts.rig import CountingFence
from tests.real.docker_rig import DockerRig, Watching
from tests.real.engine import Engine

SHEBANG = "#!/bin/sh\n"


@pytest.fixture
async def rig(engine: Engine, tiny_image: str, base_image: str) -> AsyncIterator[DockerRig]:
    made = DockerRig(engine, tiny_image)
    yield made
    await made.driver.close()


@pytest.fixture
async def debian(engine: Engine, base_image: str) -> AsyncIterator[DockerRig]:
    made = DockerRig(engine, base_image)
    yield made
    await made.driver.close()


# --- first boot


async def test_several_scripts_and_cloud_config_run_in_order(debian: DockerRig) -> None:
    config = {
        "bootcmd": ["echo 1 >> /ran"],
        "write_files": [{"path": "/etc/told", "content": "hello\n"}],
        "users": [{"name": "ada", "shell": "/bin/sh", "ssh_authorized_keys": ["ssh-ed25519 K ada"]}],
        "runcmd": [["sh", "-c", "echo 4 >> /ran"]],
        "ntp": {"enabled": True},
    }
    data = multipart(
        [
            {"config": f"{SHEBANG}echo 2 >> /ran"},
            {"config": cloud_config(config)},
            {"config": f"{SHEBANG}echo 3 >> /ran"},
        ]
    )
    _, seen = await debian.make(user_data=data)
    ended = await debian.until(lambda one: one.boot != "running", seen)
    assert (ended.boot, ended.why) == (
        "waiting",
        "its user data waits in part, Terrace's images do not carry out: ntp",
    )
    assert await debian.run(seen.provider_id, "cat", "/ran") == (0, "1\n2\n3\n4\n")
    assert await debian.run(seen.provider_id, "cat", "/etc/told") == (0, "hello\n")
    keys = await debian.run(seen.provider_id, "cat", "/home/ada/.ssh/authorized_keys")
    assert keys == (0, "ssh-ed25519 K ada\n")


async def test_packages_of_cloud_config_are_installed(debian: DockerRig) -> None:
    _, network = await debian.make("Network")
    data = cloud_config({"packages": ["busybox"], "runcmd": ["busybox true && echo yes > /ran"]})
    _, seen = await debian.make(user_data=data, networks=(Nic(network.provider_id),), memory=256, cpu=2.0)
    ended = await debian.until(lambda one: one.boot != "running", seen)
    assert (ended.boot, ended.why) == ("", "")
    assert await debian.run(seen.provider_id, "cat", "/ran") == (0, "yes\n")


async def test_a_hint_tells_that_user_data_has_ended(debian: DockerRig) -> None:
    async with Watching(debian.driver) as watching:
        _, seen = await debian.make(user_data=f"{SHEBANG}sleep 2\nexit 3\n")
        assert seen.boot == "running"
        for _ in range(20):
            await watching.hear(seen.provider_id)
            (now,) = [one for one in await debian.ours() if one.provider_id == seen.provider_id]
            if now.boot != "running":
                break
        assert now.boot == "failed"
        assert "exit code 3" in now.why


async def test_user_data_in_another_image_waits_and_says_what_would_run_it(rig: DockerRig) -> None:
    _, seen = await rig.make(user_data=SHEBANG)
    assert seen.boot == "waiting"
    assert "debian-12" in seen.why


async def test_a_password_is_set_and_its_file_is_gone(debian: DockerRig) -> None:
    _, seen = await debian.make(password=Secret("s3cret"))
    shadow = ""
    while not shadow.startswith("root:$"):
        shadow = (await debian.run(seen.provider_id, "cat", "/etc/shadow"))[1]
    while (await debian.run(seen.provider_id, "ls", "/var/lib/terrace"))[1].strip():
        await debian.clock.sleep(0.1)
    assert "s3cret" not in shadow


# --- deployments


def deployment(rig: DockerRig, machine: str, **scripts: str) -> Step:
    spec = DeploymentSpec(
        machine=machine,
        scripts={name: SHEBANG + text for name, text in scripts.items()},
        inputs={"greeting": "hello $(no shell)", "token": Secret("s3cret")},
        outputs=("result", "wrong"),
        errors=("wrong",),
        name="greet",
    )
    return rig.step(Verb.CREATE, "SoftwareDeployment", rig.owner(), spec)


async def test_a_script_gets_its_inputs_and_gives_its_outputs(rig: DockerRig) -> None:
    _, machine = await rig.make()
    text = (
        'echo "$greeting $token $deploy_action $deploy_resource_name"\necho oops >&2\n'
        'printf %s "$greeting" > "$heat_outputs_path.result"\necho run >> /runs\n'
    )
    step = deployment(rig, machine.provider_id, CREATE=text)
    seen = (await rig.finish(step)).seen
    assert seen is not None
    assert seen.attributes["deploy_stdout"] == f"hello $(no shell) s3cret CREATE {step.names.path}\n"
    assert seen.attributes["deploy_stderr"] == "oops\n"
    assert seen.attributes["deploy_status_code"] == 0
    assert seen.attributes["result"] == "hello $(no shell)"
    assert (await rig.finish(step)).seen == seen
    assert await rig.run(machine.provider_id, "cat", "/runs") == (0, "run\n")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("echo it broke >&2\nexit 7\n", "exit code 7: it broke"),
        ('echo no > "$heat_outputs_path.wrong"\n', "gave wrong"),
    ],
)
async def test_a_script_that_fails_is_a_failure_and_is_not_run_again(
    rig: DockerRig, text: str, words: str
) -> None:
    _, machine = await rig.make()
    step = deployment(rig, machine.provider_id, CREATE="echo run >> /runs\n" + text)
    for _ in range(2):
        with pytest.raises(PermanentError) as caught:
            await rig.finish(step)
        assert words in caught.value.message
    assert await rig.run(machine.provider_id, "cat", "/runs") == (0, "run\n")


async def test_each_action_is_a_run_of_its_own(rig: DockerRig) -> None:
    _, machine = await rig.make()
    texts = {
        name: f"echo $deploy_action >> /runs\nsleep 1\necho {name}" for name in ("CREATE", "UPDATE", "DELETE")
    }
    step = deployment(rig, machine.provider_id, **texts)
    made = (await rig.finish(step)).seen
    assert made is not None
    changed = replace(step, verb=Verb.UPDATE, provider_id=made.provider_id, attributes=made.attributes)
    seen = (await rig.finish(changed)).seen
    assert seen is not None
    assert seen.attributes["deploy_stdout"] == "UPDATE\n"
    assert (await rig.delete(step, seen)).seen is None
    assert await rig.run(machine.provider_id, "cat", "/runs") == (0, "CREATE\nUPDATE\nDELETE\n")
    await rig.remove(machine.provider_id)
    assert (await rig.delete(step, seen)).seen is None


async def test_what_broke_off_is_said_to_have_and_not_begun_again(rig: DockerRig) -> None:
    machine, seen = await rig.make()
    step = deployment(rig, seen.provider_id, CREATE="echo run >> /runs\nexec sleep 1000\n")
    receipt = await rig.driver.apply(step, CountingFence())
    assert receipt.handle
    while (await rig.run(seen.provider_id, "cat", "/runs"))[0]:
        await rig.clock.sleep(0.1)
    await rig.stop(seen.provider_id)
    assert await rig.change(Verb.START, machine, seen) is not None
    with pytest.raises(PermanentError) as caught:
        await rig.finish(replace(step, handle=receipt.handle))
    assert "broke off" in caught.value.message
    assert await rig.run(seen.provider_id, "cat", "/runs") == (0, "run\n")


# --- volumes


async def test_a_copy_pauses_who_writes_and_nobody_takes_that_for_trouble(rig: DockerRig) -> None:
    made, volume = await rig.make("Volume")
    _, writer = await rig.make(volumes=(Mount(volume.provider_id, "/data"),))
    fill = "dd if=/dev/zero of=/data/big bs=1048576 count=600 2>/dev/null"
    assert (await rig.run(writer.provider_id, "sh", "-c", fill))[0] == 0
    step = replace(made, verb=Verb.SNAPSHOT, provider_id=volume.provider_id, copy=rig.owner())
    receipt = await rig.driver.apply(step, CountingFence())
    assert receipt.handle
    assert rig.engine.cli("inspect", "--format", "{{.State.Status}}", writer.provider_id) == "paused"
    listed = {one.kind: one for one in await rig.ours()}
    assert listed["Machine"].state == "running"
    assert not listed["VolumeSnapshot"].complete
    assert (await rig.finish(replace(step, handle=receipt.handle))).seen is not None
    assert rig.engine.cli("inspect", "--format", "{{.State.Status}}", writer.provider_id) == "running"
    assert "terrace-copy" not in rig.engine.cli("ps", "--all", "--format", "{{.Names}}")


async def test_without_an_image_of_ours_that_of_the_writer_does_it(
    rig: DockerRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def nothing(source: str) -> None:
        return None

    made, volume = await rig.make("Volume")
    await rig.make(volumes=(Mount(volume.provider_id, "/data"),))
    monkeypatch.setattr(rig.driver._images, "find", nothing)
    step = replace(made, verb=Verb.SNAPSHOT, provider_id=volume.provider_id, copy=rig.owner())
    assert (await rig.finish(step)).seen is not None


async def test_a_copy_that_cannot_be_made_says_why_and_leaves_nothing(rig: DockerRig) -> None:
    made, volume = await rig.make("Volume")
    step = replace(made, verb=Verb.CREATE, owner=rig.owner(), spec=replace(made.spec, source="nowhere"))
    with pytest.raises(Exception, match="nowhere"):
        await rig.finish(step)
    assert [one.provider_id for one in await rig.ours()] == [volume.provider_id]


# --- images by address


async def test_an_image_comes_from_an_address_that_the_settings_allow(
    engine: Engine, tiny_image: str, tmp_path: Path
) -> None:
    packed = tmp_path / "root.tar"
    container = engine.cli("create", tiny_image)
    engine.cli("export", "--output", str(packed), container)
    asked: list[str] = []

    class Handler(SimpleHTTPRequestHandler):
        def __init__(self, *args: Any) -> None:
            super().__init__(*args, directory=str(tmp_path))

        def do_GET(self) -> None:
            asked.append(self.path)
            if self.path == "/moved.tar":
                self.send_response(302)
                self.send_header("Location", "/root.tar")
                self.end_headers()
                return
            super().do_GET()

        def log_message(self, *args: Any) -> None:
            """Nothing: the test counts what was asked."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        pub = f"http://127.0.0.1:{server.server_port}/"
        rig = DockerRig(engine, tiny_image, DockerSettings(host=engine.docker_host, image_urls=(pub,)))
        try:
            step = rig.step(Verb.CREATE, "Image", rig.owner(), ImageSpec(pub + "root.tar", format="archive"))
            image = (await rig.finish(step)).seen
            assert image is not None
            _, seen = await rig.make(image=image.provider_id)
            assert await rig.run(seen.provider_id, "echo", "hi") == (0, "hi\n")
            assert (await rig.finish(step)).seen == image
            assert asked == ["/root.tar"]
            for spec, words in (
                (ImageSpec(pub + "disk.qcow2", format="qcow2"), "not from a disk"),
                (ImageSpec(pub + "moved.tar"), "HTTP 302"),
            ):
                with pytest.raises(PermanentError, match=words):
                    await rig.finish(rig.step(Verb.CREATE, "Image", rig.owner(), spec))
            assert asked == ["/root.tar", "/moved.tar"]
        finally:
            server.shutdown()
            await rig.driver.close()
