"""How each property of software and its deployments changes."""

from __future__ import annotations

from tests.properties.updates.case import BOXES, NETS, Case, To

from terrace.model.value import Ref

SCRIPTS = ("#!/bin/sh\necho one\n", "#!/bin/sh\necho two\n")
STRUCTURED = {"config": {"port": {"get_input": "port"}}, "inputs": {"port": 80}}

SOFTWARE: dict[str, Case] = {
    "SoftwareConfig": Case(
        {"config": SCRIPTS[0], "group": "script"},
        {
            "config": (To(SCRIPTS[1]),),
            "group": (To("ansible"),),
            "inputs": (To([{"name": "b"}], before=[{"name": "a"}]),),
            "outputs": (To([{"name": "b"}], before=[{"name": "a"}]),),
            "options": (To({"a": 2}, before={"a": 1}),),
        },
    ),
    "CloudConfig": Case({}, {"cloud_config": (To({"runcmd": ["false"]}, before={"runcmd": ["true"]}),)}),
    "MultipartMime": Case({}, {"parts": (To([{"config": SCRIPTS[1]}], before=[{"config": SCRIPTS[0]}]),)}),
    "SoftwareDeployment": Case(
        {"machine": Ref("box"), "config": SCRIPTS[0]},
        {
            "machine": (To(Ref("twin")),),
            "config": (To(SCRIPTS[1]),),
            "inputs": (To({"a": 2}, before={"a": 1}),),
            "actions": (To(["CREATE"]),),
            "name": (To("other"),),
            "input_key": (To("ask", with_=STRUCTURED),),
        },
        around=(*NETS, *BOXES),
    ),
    "SoftwareDeploymentGroup": Case(
        {"servers": {"a": Ref("box")}, "config": SCRIPTS[0]},
        {
            "servers": (To({"a": Ref("box"), "b": Ref("twin")}), To({"b": Ref("twin")})),
            "config": (To(SCRIPTS[1]),),
            "inputs": (To({"a": 2}, before={"a": 1}),),
            "actions": (To(["CREATE"]),),
            "name": (To("other"),),
            "input_key": (To("ask", with_=STRUCTURED),),
        },
        around=(*NETS, *BOXES),
    ),
    "DeployedServer": Case(
        {}, {"name": (To("other"),), "metadata": (To({"note": "two"}, before={"note": "one"}),)}
    ),
}
