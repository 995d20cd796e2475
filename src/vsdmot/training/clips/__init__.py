"""Clips: what a tracker is trained on, from files to tensors."""
