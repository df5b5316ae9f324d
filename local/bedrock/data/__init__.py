"""What the simulated Bedrock reads and writes: datasets, objects, embeddings, pictures."""
