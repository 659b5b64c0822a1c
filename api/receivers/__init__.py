"""Messages out to people: what is said of a group of alerts, and the channels that carry it (chat bots, mail, HTTP)."""
