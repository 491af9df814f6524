"""Features and tiles over HTTP, beside pygeoapi, tipg and MapServer on the same data, in the same run."""
