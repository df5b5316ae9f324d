"""What the functions of deployments share: the answer to CloudFormation, what open runs need."""
