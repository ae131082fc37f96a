"""The benchmarks: `python -m bench` measures Vagus and its peers and writes bench/RESULTS.md. See bench/README.md."""
