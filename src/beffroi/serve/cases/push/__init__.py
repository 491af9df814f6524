"""Notifications on devices: Web Push, encrypted from here to the device."""
