"""Markdown, HTML, LaTeX, CSV and JSON."""
