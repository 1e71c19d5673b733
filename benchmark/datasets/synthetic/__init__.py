"""The rendered data set."""
