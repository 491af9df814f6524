"""The agents' face."""
