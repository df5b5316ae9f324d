"""What functions write down and read again: runs, intents, approvals, pins, pointers."""
