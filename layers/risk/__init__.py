"""Risk as files that leave the centre: one-file map, GeoTIFF, GeoJSON, picture, spreadsheet, PDF."""
