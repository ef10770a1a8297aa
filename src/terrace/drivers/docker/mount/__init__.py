"""Volumes in machines that already run: an engine cannot do it, the kernel of its host can.

Whose an attachment is stands where no guest can change it: below the volume, at the same place, lies an
empty read-only file system whose source names the owner. Both show in the mounts of the guest's first process;
a restart of the guest loses both.
"""
