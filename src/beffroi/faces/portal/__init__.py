"""The residents' face: what the town offers, what it knows, and its map."""
