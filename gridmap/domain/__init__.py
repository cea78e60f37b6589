"""Pure rules: values in, values out. No SQL, no HTTP, no clock, no files but the shipped vocabulary."""
