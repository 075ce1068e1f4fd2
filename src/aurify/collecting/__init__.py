"""Collects rationales into a table: drawn from a local model or an API, or imported from somebody else's file.

``settings`` stays free of heavy imports, for the command line; so nothing is imported here.
"""
