"""Partners: the pages and calls of those outside who work with us: members and hosts.

``api`` hands the signed list to members who hold a key; ``portal`` is where a host answers a
notice. May touch: what ``hashlist`` and ``takedown`` offer, keys in ``accounts``, the audit chain.
No staff session can exist here.
"""
