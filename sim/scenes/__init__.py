"""What a detector sees."""
