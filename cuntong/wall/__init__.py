"""``cuntong noc``: the eight boards as pages for a wall screen, from Prometheus' answers; no script, no Grafana."""
