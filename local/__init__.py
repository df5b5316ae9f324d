"""The local AWS: MiniStack on loopback with IAM enforced, and a Bedrock simulator inside it."""
