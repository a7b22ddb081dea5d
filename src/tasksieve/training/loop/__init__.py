"""One run of any kind: its iterations, its state, its checkpoints; knows no dialog and no image."""
