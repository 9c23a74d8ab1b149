"""Reports: the record of what was reported, what was found there, and its allowed changes of state.

May touch: its own tables, the engine (to capture an address), the vault. Knows nothing of
assessing, listing or notices: those rooms build on this one, and hear of what happens here by
the signals in ``signals``.
"""
