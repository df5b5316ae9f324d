"""What operators ask of a deployment: what its parts logged, and what could not be delivered."""
