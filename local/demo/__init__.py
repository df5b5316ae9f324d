"""The main job on the local AWS, from a deployment to a served model and a rejected dataset."""
