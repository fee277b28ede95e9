"""Channel Access: record tables as data, and the one adapter that serves and reads them through caproto."""
