"""Result folders in."""
