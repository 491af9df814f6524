"""The elected officials' face."""
