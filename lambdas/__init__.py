"""The functions, one file each; bedrock_tuning/contracts/states/ calls those of a run."""
