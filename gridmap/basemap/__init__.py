"""The offline base map: what goes into its tiles, and how it is drawn."""
