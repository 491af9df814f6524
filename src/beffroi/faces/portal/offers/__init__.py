"""`/objets/`: things that people give away, rather than throw away."""
