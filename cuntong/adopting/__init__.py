"""Taking in a network that is there already: who answers, where it stands, what the inventory would say of it."""
