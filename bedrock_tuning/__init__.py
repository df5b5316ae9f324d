"""The domain of model customization, pure and shared by every side."""
