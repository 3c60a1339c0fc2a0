"""Access to the desk: users, passwords, and the checks against hostile pages and requests."""
