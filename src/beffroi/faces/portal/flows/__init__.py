"""The pages of flows: what passes by mode and hour, on a map, as lists, as a file."""
