"""Engines of choice: arrays in, arrays out. No SQL, no HTTP."""
