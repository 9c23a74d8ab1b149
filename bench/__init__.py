"""Benchmarks: this project against its peers, in one run, as ratios. None gates anything."""
