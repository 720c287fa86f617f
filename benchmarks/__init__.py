"""What is measured, how, and the results. `python -m benchmarks --help`."""
