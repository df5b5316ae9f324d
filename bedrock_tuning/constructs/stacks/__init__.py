"""The deployment units. One module for each CloudFormation stack."""
