"""What is one thing: the same article (identity), the same news (stories). Pure."""
