"""The advice: from a question to a reply."""
