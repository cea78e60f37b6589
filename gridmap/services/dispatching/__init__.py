"""Sending somebody: the offer, the answer, the way, the scene, the result."""
