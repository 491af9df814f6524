"""The pages of the homes that leak heat (7-15)."""
