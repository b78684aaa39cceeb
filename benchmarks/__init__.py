"""Measurements of speed, memory and retrieval."""
