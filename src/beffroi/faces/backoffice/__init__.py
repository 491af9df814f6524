"""The agents' face: what awaits them, and what they run."""
