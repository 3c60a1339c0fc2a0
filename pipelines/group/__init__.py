"""The final stage: which section, how much it matters, and why. Pure."""
