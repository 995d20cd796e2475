"""People of rendered scenes: how they look, their surfaces, and how these follow the skeleton."""
