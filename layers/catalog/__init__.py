"""One file, one layer. A new layer is one new file here that holds a `LAYER`."""
