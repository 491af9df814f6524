"""What passes in the streets by mode and by hour: what was counted, what is estimated, what a sample saw."""
