"""The pages about premises: who occupies them, and what a building mixes."""
