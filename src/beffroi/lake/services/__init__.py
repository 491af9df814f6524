"""Services that give their data page by page, and files: each read whole, or not at all. Knows no Django."""
