"""Prints docs/metrics.md: ``python -m exporter.registry > docs/metrics.md``."""

import sys

from exporter.registry.listing import listing

sys.stdout.write(listing())
