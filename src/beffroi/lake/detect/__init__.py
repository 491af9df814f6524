"""What a file does not say of itself (encoding, separator, decimals, dates, CRS), with the evidence. No Django."""
