"""What can be imported: one noun, one file."""
