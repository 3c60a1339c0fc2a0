"""The requests of each kind of source. The run is in `base`; a kind's spider gives the first requests and the last."""
