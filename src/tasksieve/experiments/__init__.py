"""Many runs at once: comparisons, sieving, the demo, and the studies of the documents, a package each."""
