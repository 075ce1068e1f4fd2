"""aurify fine-tunes language models to reason, from questions with known answers.

It learns from the wrong rationales as well as the right ones. Each room (sub-package) is imported by itself, so that
``import aurify`` and ``aurify --help`` stay fast.
"""

__version__ = "0.1.0"
