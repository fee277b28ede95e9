"""NeXus files described as trees of values before they are written; one module a definition."""
