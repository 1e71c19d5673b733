"""Everything that measures: from data sets and clips to metrics, cost and records."""
