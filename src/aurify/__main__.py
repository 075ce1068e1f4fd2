"""``python -m aurify`` is the ``aurify`` command."""

from aurify.cli.app import main

main()
