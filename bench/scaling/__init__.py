"""How many machines a workload takes, and what happens when one of them is lost.

``costs`` is what each thing costs, as the benchmarks measured it (bench/costs.toml says by which stage); ``model``
computes cores, memory, Redis, bandwidth and money from that; ``storm`` plays through the loss of a machine, which no
formula says; ``report`` writes both, and the tables of docs/scaling.md: ``python -m bench.scaling --help``.
"""
