"""Where rows come from: one module a source.

Each has `inputs(arguments)`, what the rows depend on (cheap, for the fingerprint), and `load(arguments)`, a `Source`.
"""
