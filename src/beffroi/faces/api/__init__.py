"""The face of other systems."""
