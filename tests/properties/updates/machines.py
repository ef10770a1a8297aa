"""How each property of machines, volumes and what belongs to them changes."""

from __future__ import annotations

from tests.properties.updates.case import DISKS, GONE, IMAGES, KEYS, NETS, ON, Case, To

from terrace.model.graph import Node
from terrace.model.value import Ref

ON_BOTH = [{"network": Ref("net")}, {"network": Ref("other")}]
MOUNT = {"volume": Ref("disk"), "path": "/data"}
CHECK = {"type": "tcp", "port": 80}

MACHINES: dict[str, Case] = {
    "Machine": Case(
        {"image": IMAGES[0], "memory": 64, "networks": ON},
        {
            "name": (To("other"),),
            "image": (To(IMAGES[1]),),
            "image_name": (To("another-word"),),
            "flavor": (To("m1.tiny", before="m1.nano", with_={"memory": GONE}),),
            "cpu": (To(2, before=1), To(GONE, before=1)),
            "memory": (To(128), To(GONE)),
            "disk": (To(2048, before=1024),),
            "pids": (To(100),),
            "networks": (To(ON_BOTH), To([{"network": Ref("net"), "ip": "10.1.0.9"}])),
            "volumes": (To([MOUNT]), To([{**MOUNT, "path": "/other"}], before=[MOUNT])),
            "environment": (To({"TONE": "sharp"}, before={"TONE": "flat"}), To({"TONE": "sharp"})),
            "command": (To(["sleep", "9"], before=["sleep", "8"]),),
            "files": (To([{"path": "/etc/motd", "content": "hello"}]),),
            "user_data": (To("#!/bin/sh\ntrue\n"),),
            "user_data_format": (To("HEAT_CFNTOOLS"),),
            "keys": (To([KEYS[0]]),),
            "metadata": (To({"note": "two"}, before={"note": "one"}),),
            "health": (To({**CHECK, "interval": 9}, before=CHECK),),
            "restart": (To("on-failure"),),
            "log_size": (To(20),),
            "publish": (To([{"guest": 80, "host": 8081}], before=[{"guest": 80, "host": 8080}]),),
            "aliases": (To(["shop"]),),
            "security_groups": (To([Ref("fence")], before=[Ref("group")]),),
            "workdir": (To("/srv"),),
            "tags": (To(["two"], before=["one"]),),
            "boot_volume": (To(Ref("disk")),),
            "group": (To(Ref("near")),),
            "placement": (To("near"),),
            "password": (To("hush-two", before="hush-one"),),
        },
        around=(
            *NETS,
            *DISKS,
            Node("group", "SecurityGroup", {}),
            Node("fence", "SecurityGroup", {}),
            Node("near", "ServerGroup", {"policies": ["affinity"]}),
        ),
    ),
    "Volume": Case(
        {"size": 1},
        {
            "size": (To(2), To(1, before=2, says="refused")),
            "name": (To("other"),),
            "metadata": (To({"note": "two"}, before={"note": "one"}),),
            "source": (To(Ref("spare"), before=Ref("disk"), says="refused"),),
            "shared_with": (To(["other"]),),
        },
        around=DISKS,
    ),
    "VolumeAttachment": Case(
        {"volume": Ref("disk"), "machine": Ref("box"), "path": "/data"},
        {
            "volume": (To(Ref("spare")),),
            "machine": (To(Ref("twin")),),
            "path": (To("/other"),),
            "read_only": (To(True),),
        },
        around=(
            Node("disk", "Volume", {"size": 1}),
            Node("spare", "Volume", {"size": 1}),
            Node("box", "Machine", {"image": IMAGES[0]}),
            Node("twin", "Machine", {"image": IMAGES[0]}),
        ),
    ),
    "KeyPair": Case({}, {"name": (To("other"),), "public_key": (To(KEYS[1]),)}),
    "Image": Case(
        {"source": IMAGES[0]},
        {
            "source": (To(IMAGES[1]),),
            "pull": (To("always"),),
            "format": (To("archive"),),
            "certificates": (To(False),),
        },
    ),
    "VolumeSnapshot": Case(
        {"volume": Ref("disk")},
        {
            "volume": (To(Ref("spare"), says="refused"),),
            "name": (To("other"),),
            "metadata": (To({"note": "two"}, before={"note": "one"}),),
            "shared_with": (To(["other"]),),
        },
        around=DISKS,
    ),
    "Flavor": Case(
        {},
        {
            "name": (To("other"),),
            "cpu": (To(2, before=1),),
            "memory": (To(128, before=64),),
            "disk": (To(2048, before=1024),),
            "pids": (To(50, before=100),),
            "extra": (To({"a": "c"}, before={"a": "b"}),),
        },
    ),
    "ServerGroup": Case({}, {"name": (To("other"),), "policies": (To(["affinity"]),)}),
}
