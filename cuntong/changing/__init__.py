"""Changing devices, wired: inventory, templates, ledger and SSH put together for plan, approve, apply and roll back."""
