"""Benchmarks on the fictional town, against GDAL in the same run."""
