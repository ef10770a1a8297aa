"""One typed spec per kind, so that kinds and drivers speak in types and not in dictionaries.

SPECS maps the native kind name to its spec. Fields may hold Secret or, in a plan only, UNKNOWN.
"""

from __future__ import annotations

from terrace.model.spec.balance import (
    HealthMonitorSpec,
    ListenerSpec,
    LoadBalancerSpec,
    PoolMemberSpec,
    PoolSpec,
)
from terrace.model.spec.crossing import NamedSecretSpec, StackOutputSpec, StackSpec
from terrace.model.spec.firewall import SecurityGroupRuleSpec, SecurityGroupSpec
from terrace.model.spec.machine import MachineSpec
from terrace.model.spec.network import NetworkSpec, PortSpec, SubnetSpec
from terrace.model.spec.placement import FlavorSpec, ServerGroupSpec
from terrace.model.spec.router import (
    FloatingIPAssociationSpec,
    FloatingIPSpec,
    RouterGatewaySpec,
    RouterInterfaceSpec,
    RouterSpec,
)
from terrace.model.spec.signal import AlarmSpec, ConditionSpec, HandleSpec, LaunchSpec, PolicySpec
from terrace.model.spec.simple import (
    DelaySpec,
    ImageSpec,
    KeyPairSpec,
    NoneSpec,
    RandomStringSpec,
    TestResourceSpec,
    ValueSpec,
)
from terrace.model.spec.software import ConfigSpec, DeployedServerSpec, DeploymentSpec
from terrace.model.spec.volume import AttachmentSpec, VolumeSnapshotSpec, VolumeSpec

SPECS: dict[str, type] = {
    "Machine": MachineSpec,
    "Volume": VolumeSpec,
    "VolumeAttachment": AttachmentSpec,
    "VolumeSnapshot": VolumeSnapshotSpec,
    "Network": NetworkSpec,
    "Subnet": SubnetSpec,
    "Port": PortSpec,
    "SecurityGroup": SecurityGroupSpec,
    "SecurityGroupRule": SecurityGroupRuleSpec,
    "Router": RouterSpec,
    "RouterInterface": RouterInterfaceSpec,
    "RouterGateway": RouterGatewaySpec,
    "FloatingIP": FloatingIPSpec,
    "FloatingIPAssociation": FloatingIPAssociationSpec,
    "LoadBalancer": LoadBalancerSpec,
    "Listener": ListenerSpec,
    "Pool": PoolSpec,
    "PoolMember": PoolMemberSpec,
    "HealthMonitor": HealthMonitorSpec,
    "KeyPair": KeyPairSpec,
    "Image": ImageSpec,
    "RandomString": RandomStringSpec,
    "Value": ValueSpec,
    "None": NoneSpec,
    "Delay": DelaySpec,
    "TestResource": TestResourceSpec,
    "StackOutput": StackOutputSpec,
    "Secret": NamedSecretSpec,
    "Stack": StackSpec,
    "WaitConditionHandle": HandleSpec,
    "WaitCondition": ConditionSpec,
    "ScalingPolicy": PolicySpec,
    "LaunchConfiguration": LaunchSpec,
    "Alarm": AlarmSpec,
    "SoftwareConfig": ConfigSpec,
    "CloudConfig": ConfigSpec,
    "MultipartMime": ConfigSpec,
    "SoftwareDeployment": DeploymentSpec,
    "DeployedServer": DeployedServerSpec,
    "Flavor": FlavorSpec,
    "ServerGroup": ServerGroupSpec,
}
