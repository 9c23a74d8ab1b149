"""Benchmarks: this project against its peers, in one run, as ratios. No timed test gates anything."""
