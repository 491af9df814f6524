"""The use cases: data files, their states per commune, their usage."""
