"""The formats that an issue is exported as, a file each."""
