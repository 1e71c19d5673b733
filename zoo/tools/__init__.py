"""One network or one run looked at."""
