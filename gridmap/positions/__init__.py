"""Positions: what senders say becomes accepted fixes, each refusal with its reason. No SQL, no HTTP."""
