"""`/capteurs/` and `/en-direct/`: what sensors read now, as usual and next."""
