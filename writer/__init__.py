"""The file writer: workers, the coordinator, the masters."""
