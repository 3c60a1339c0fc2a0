"""Issue -> Markdown and other formats, and past issues back. All of it is pure: values in, values out."""
