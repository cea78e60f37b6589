"""Set-up of a fresh machine: system packages, Python packages, the front end, the routing programs.

Runs before anything is installed, so it uses the standard library alone and imports nothing of the rest.
"""
