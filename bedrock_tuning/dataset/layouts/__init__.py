"""What people have: folders, tables and archives of images with captions, read by structure."""
