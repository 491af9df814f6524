"""Owners, tenants, rental values and transfers of premises: for entitled people, each reading logged."""
