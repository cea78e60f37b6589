"""The goods entrance: files from outside become domain nouns. Stands on `layers` and `gridmap`, never on
`web`."""
