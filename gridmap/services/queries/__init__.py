"""What screens read: queries in the caller's transaction, under its scope. Nothing here writes."""
