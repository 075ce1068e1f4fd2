"""Mathematics: answers in LaTeX and plain notation, read by a grammar and compared exactly.

From a text to a verdict: ``written`` tells parts apart, ``tokens``, ``atoms`` and ``expression`` give a ``tree``,
``structures`` makes sets, tuples and relations of it, ``equality`` and ``values`` compare; ``compare`` is the way in.
"""
