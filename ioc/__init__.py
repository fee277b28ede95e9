"""Channel Access: record tables as data, the adapter that serves them through caproto, and a client.

The lifeline that every program has lives here too.
"""
