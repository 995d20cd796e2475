"""Robustness: how trackers score as the picture gets worse, by degradation and severity."""
