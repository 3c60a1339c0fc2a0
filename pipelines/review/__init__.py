"""The desk: a web page over the store, and the same actions as JSON. The only room that knows the web framework."""
