"""Measures medretrieval beside its peers: the same arrays, in alternation, each in a process of its own."""
