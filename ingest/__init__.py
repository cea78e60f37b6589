"""The goods entrance: files and feeds from outside become domain nouns. Stands on `layers` and `gridmap`; never meets `web`."""
