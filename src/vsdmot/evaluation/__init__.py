"""Accuracy: official MOT metrics on data that we read, check and preprocess; where and when a tracker fails."""
