"""The fictional town, written as the national formats would give it. No Django."""
