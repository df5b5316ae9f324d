"""What `from bedrock_tuning import …` gives: checks, datasets and deployments for a notebook.

The functions do what the commands of the same names do. They take paths and DataFrames, and what
they return has DataFrames and shows itself. Problems are raised as
`bedrock_tuning.errors.UserError`.
"""

from bedrock_tuning.notebook.deployment import Deployment, prepare, validate

__all__ = ["Deployment", "prepare", "validate"]
