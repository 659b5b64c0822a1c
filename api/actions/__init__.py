"""What people do: each use-case one plain function that authorises and audits, called by routers and by the CLI."""
