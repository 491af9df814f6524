"""WHEN: working days, deadlines and dated rules. Knows no Django."""
