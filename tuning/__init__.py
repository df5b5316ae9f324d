"""The domain of model customization: catalogue, rules, runs, serving; pure, shared by every side."""
