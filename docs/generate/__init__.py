"""What the site makes of the code: pages from tables and records, drawings, checks."""
