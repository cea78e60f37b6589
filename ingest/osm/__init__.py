"""OpenStreetMap extracts: tables, gazetteer, base map and road graph from one .osm.pbf file."""
