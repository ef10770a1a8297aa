"""One typed spec per kind, so that kinds and drivers speak in types and not in dictionaries.

SPECS maps the native kind name to its spec. Fields may hold Secret or, in a plan only, UNKNOWN.
"""

from __future__ import annotations

from terrace.model.spec.crossing import StackOutputSpec, StackSpec
from terrace.model.spec.machine import MachineSpec
from terrace.model.spec.network import NetworkSpec, PortSpec, SubnetSpec
from terrace.model.spec.simple import (
    DelaySpec,
    ImageSpec,
    KeyPairSpec,
    NoneSpec,
    RandomStringSpec,
    TestResourceSpec,
    ValueSpec,
)
from terrace.model.spec.volume import AttachmentSpec, VolumeSpec

SPECS: dict[str, type] = {
    "Machine": MachineSpec,
    "Volume": VolumeSpec,
    "VolumeAttachment": AttachmentSpec,
    "Network": NetworkSpec,
    "Subnet": SubnetSpec,
    "Port": PortSpec,
    "KeyPair": KeyPairSpec,
    "Image": ImageSpec,
    "RandomString": RandomStringSpec,
    "Value": ValueSpec,
    "None": NoneSpec,
    "Delay": DelaySpec,
    "TestResource": TestResourceSpec,
    "StackOutput": StackOutputSpec,
    "Stack": StackSpec,
}
