"""The windows: what a map shows, one file in `layers.catalog` per layer. Stands on `gridmap` only."""
