"""The data sets, one loader a file; `catalogue` opens them by name."""
