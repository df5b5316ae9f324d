"""A simulator of Amazon Bedrock's model customization; nothing in it is Bedrock."""
