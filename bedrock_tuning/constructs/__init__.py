"""What the stacks are made of. One module for each kind of construct."""
