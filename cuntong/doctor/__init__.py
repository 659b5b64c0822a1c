"""``cuntong doctor``: is this instance well, and if not, what mends it."""
