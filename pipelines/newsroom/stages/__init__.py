"""Runs the stages over the store: replies become articles, articles stories, decisions a model."""
