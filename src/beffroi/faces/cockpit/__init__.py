"""The elected officials' face: a few honest figures, each with its source."""
