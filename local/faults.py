"""Orders faults in the Bedrock simulator of a running local AWS."""
