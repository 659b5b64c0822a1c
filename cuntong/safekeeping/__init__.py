"""The system itself: dumped into one sealed file, restored from it, upgraded."""
