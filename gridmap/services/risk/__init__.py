"""Risk as a service: read what happened in an area, forecast it with the engine, keep the run, tell it on."""
