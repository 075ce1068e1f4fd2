"""A look at a model on some questions before hours are spent: what it gets right, what keeps it from it, what to do."""
