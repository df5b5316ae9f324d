"""What the functions of deployments share: the answer to CloudFormation."""
