"""The objective of a clip: who is to be found by which query, and what it costs if not."""
