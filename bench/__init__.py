"""Benchmarks: each subject in turn with a hand-written baseline, on the same data, machine and run."""
