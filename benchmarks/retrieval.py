"""How often the right provisions are found: ``python -m benchmarks.retrieval`` (``--questions FILE.jsonl``)."""
