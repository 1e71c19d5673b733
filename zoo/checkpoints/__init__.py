"""Weights by name, verified."""
