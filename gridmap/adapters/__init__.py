"""The only place that talks to other programs: typed values in and out. Called by services."""
