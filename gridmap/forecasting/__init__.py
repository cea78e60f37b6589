"""`gridmap risk`: risk from files and from the database, checked against what happened.

`cli.py` holds the group; each verb is a click command in a module of its own that `cli.py` adds to it.
"""
