"""The front door: HTTP, pages and the live feed. Stands on `layers` and `gridmap`; never meets `ingest`."""
