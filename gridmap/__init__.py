"""The bearing walls: domain rules, the database, the verbs and the command line. Knows no layer, source or page."""
