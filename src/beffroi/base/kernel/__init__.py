"""What every room stands on and that knows no room and no Django: errors, sentences, files, geometry, time."""
