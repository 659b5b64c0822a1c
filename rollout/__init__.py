"""Changing devices: what they should say, the difference, the plan, the waves, the transaction."""
