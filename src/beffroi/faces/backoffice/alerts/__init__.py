"""Alerts as agents write, approve, send and end them."""
