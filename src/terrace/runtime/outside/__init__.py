"""What stacks did not make: which of it they may refer to, and how they take it on."""
