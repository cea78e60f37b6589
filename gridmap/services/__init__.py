"""The verbs. Each takes an open transaction and a typed command; whoever opens the transaction commits it."""
