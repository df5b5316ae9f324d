"""What a tuned model is compared by: pictures with captions, and answers to the same prompts."""
