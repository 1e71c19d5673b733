"""The networks, one file a paper: torch and timm only, no data set, no file, no command line."""
