"""How fast it is: one question a file, always beside its limit in the same run."""
