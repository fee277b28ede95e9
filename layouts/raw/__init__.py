"""Raw and meta files: their names, what is in them, and which frame is where."""
