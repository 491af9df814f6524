"""The residents' face."""
