"""What to ask for, by kind of source. All that a run shares is in `base`; a kind says where to start and stop."""
