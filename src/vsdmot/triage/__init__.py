"""Judging hours of footage without tracking: how good it is, and what spoils it."""
