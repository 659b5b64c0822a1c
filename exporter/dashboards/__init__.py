"""The eight questions of a NOC, each a page of panels: for Grafana as JSON, for a wall screen as `cuntong noc`.

The questions, their queries and their words stand in `boards` once. `python -m exporter.dashboards` writes the JSON.
"""
