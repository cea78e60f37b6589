"""Measuring what we promise: `gridmap bench map` and `gridmap bench feed`. docs/bench.md says how to read them."""
