"""The embedded generated multilingual world: writes files in the packed layout, knows no card."""
