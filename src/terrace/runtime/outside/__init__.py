"""What stacks did not make, and may refer to or not."""
