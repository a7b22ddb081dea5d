"""A trained run in the browser and as a JSON API: talk to its model, look through its weights."""
