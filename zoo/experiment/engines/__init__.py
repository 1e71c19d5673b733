"""What carries runs out: this process, or a Ray cluster."""
