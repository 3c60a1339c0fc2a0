"""Whether the newsroom is well: its sources, its alerts, its figures."""
