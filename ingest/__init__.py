"""Reading, splitting, embedding and indexing."""
