"""What offices print, sign and send: bulletins, ledgers and lists as DOCX, PDF and XLSX."""
