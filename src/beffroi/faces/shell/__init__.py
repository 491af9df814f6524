"""What every face wears: page frame, components, access declarations, errors, assets."""
