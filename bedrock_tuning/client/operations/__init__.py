"""What operators ask of a deployment: what it holds, what it logged, what was not delivered."""
