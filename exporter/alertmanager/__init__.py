"""How alerts reach people: Alertmanager's configuration from the county's settings, and a model of what it sends."""
