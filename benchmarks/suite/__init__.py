"""Benchmarks that asv follows across commits; the scripts beside this folder print the same figures in one run."""
