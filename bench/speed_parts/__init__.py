"""The parts of bench/speed.py, one file a part; files named ``*_worker`` run as child processes."""
