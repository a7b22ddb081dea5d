"""What a run on dialogs is made of, and what one on images is made of."""
