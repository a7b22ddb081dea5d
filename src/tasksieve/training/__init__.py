"""The loop, the methods, checkpoints and trained models at work."""
