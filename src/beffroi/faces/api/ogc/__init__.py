"""The OGC APIs: Features, Tiles and Records at `/ogc/`."""
