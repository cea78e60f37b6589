"""From a protocol's payload to typed messages: pure functions, one module a protocol (docs/positions.md)."""
