"""From a request to records, resumable."""
