"""The functions, one file each; bedrock_tuning/constructs/workflow.py calls those of a run."""
