"""Signed figures of a district, made by one instance and taken in by another (a city's)."""
