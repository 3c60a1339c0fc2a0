"""The registry: rows of sources.toml, and lists of feeds of other readers, as sources."""
