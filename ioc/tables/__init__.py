"""Record tables, one module a template."""
