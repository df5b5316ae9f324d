"""What functions read of datasets: manifests, images, and by which pictures a model is judged."""
