"""Reads rules, Alertmanager's configuration and dashboards before Prometheus does, and finds what it lets pass.

promtool knows the grammar; this knows the project: which metrics, labels and types exist, which labels an inhibition
needs, which words an alert must carry. Pure: text comes in, `Finding`s with file and line go out.
"""
