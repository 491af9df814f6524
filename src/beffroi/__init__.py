"""Beffroi: a self-hosted City Information Model for French local authorities."""

__version__ = "0.1.0"
