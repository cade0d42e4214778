"""How close to the limit, measured side by side in one run: ``python -m tests.benchmarks``.

Each module measures what its name says, against a reference that runs interleaved with ours. No
test depends on any figure.
"""
