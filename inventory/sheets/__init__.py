"""Spreadsheets that people fill in: templates that we write, rows that we read, and the YAML that follows from them."""
