"""Sources that come again: one source, one file, named like its key."""
