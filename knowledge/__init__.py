"""The law and what we say of it, as data."""
