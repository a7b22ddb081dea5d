"""Ways that others have to choose or to weight related examples: what several of these methods share."""
