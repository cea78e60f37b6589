"""Engines, the embedded cluster, roles, tables, named queries and migrations. Nothing here commits."""
