"""The command people type. It starts the programs and computes nothing."""
