"""What one clip costs: counted, timed, and its memory."""
