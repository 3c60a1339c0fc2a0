"""Who may use the desk, and what a hostile browser is refused."""
