"""`/agent/capteurs/`: add a sensor, try it, read its last word, suspend it."""
