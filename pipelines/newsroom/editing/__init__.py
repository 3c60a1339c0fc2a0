"""What an editor does: look at candidates, decide, write an issue, publish it."""
