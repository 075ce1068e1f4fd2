"""``tomllib``, which Python has from 3.11 on; the package ``tomli`` is the same for 3.10."""

import sys

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

__all__ = ["tomllib"]
