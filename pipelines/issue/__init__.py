"""Issue -> Markdown and JSON, and past issues back. All but `files` is pure: values in, values out."""
