"""The training loop: steps, processes, checkpoints, log; it knows nothing of what is trained."""
