"""The state machine: its states, tasks and transitions."""
