"""Shared bicycles and scooters: where they are now (GBFS), and a way that takes one."""
