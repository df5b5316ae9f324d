"""The deployment units: one file per CloudFormation stack."""
