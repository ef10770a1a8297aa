"""Many of one shape: groups with a number of members, groups that policies scale, and chains."""

from __future__ import annotations

from terrace.kinds.group.chain import Chain
from terrace.kinds.group.group import Group
from terrace.kinds.group.launch import LaunchConfiguration
from terrace.kinds.group.members import MEMBER, SHAPE
from terrace.kinds.group.policy import ScalingPolicy
from terrace.kinds.group.scaling import ScalingGroup

__all__ = ["MEMBER", "SHAPE", "Chain", "Group", "LaunchConfiguration", "ScalingGroup", "ScalingPolicy"]
