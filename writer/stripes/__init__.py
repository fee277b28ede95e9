"""Several processes that store the frames of one detector: the fan's side, and the storers'."""
