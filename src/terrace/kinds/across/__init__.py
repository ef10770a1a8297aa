"""What reaches over to other stacks."""
