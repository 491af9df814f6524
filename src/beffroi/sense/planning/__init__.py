"""What may be built, and where: the rules that apply at a point."""
