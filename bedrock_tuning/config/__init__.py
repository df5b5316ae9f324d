"""What is set: cdk.json, customization files, hyperparameters and functions' environments."""
