"""The agents' workbench on the pages: datasets crossed step by step, and the indicators kept of it."""
