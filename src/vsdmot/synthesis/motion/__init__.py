"""How people move in rendered scenes."""
