"""The desk's actions for scripts, described as OpenAPI."""
