"""What the town feels: things, the series of what their sensors read, thresholds, the usual."""
