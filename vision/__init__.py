"""Frame in, findings out: pure functions and small readers on arrays. No files, screens, clocks or anchor names here."""
