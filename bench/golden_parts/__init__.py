"""The parts of ``bench/golden.py``: what is run, how, what a run leaves, and what counts as equal."""
