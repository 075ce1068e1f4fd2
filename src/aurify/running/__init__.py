"""Runs: one loop for whatever is learned, its checkpoints, its folder, its budget, its processes and its profile.

A run is a ``Task`` (``task.py``) in a ``Loop`` (``loop.py``). What is learned, and from what, is the task's business:
``training`` has the one of TRICE and the methods of its form, ``distillation`` the one of stages over a table.
"""
