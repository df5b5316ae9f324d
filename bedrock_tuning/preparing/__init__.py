"""What `tuning prepare` does: a folder of images and their captions become a dataset."""
