"""The workflow as data: its states in the Amazon States Language."""
