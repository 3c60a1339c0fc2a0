"""The actions of the desk as a JSON API, described as OpenAPI."""
