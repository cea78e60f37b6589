"""Tables, roles, the embedded cluster and named queries. Nothing in here commits a service's work."""
