"""A member's copy: subscribe, sync under every condition, verify, recognise, explain, take away.

Touches the one folder it is given and connects through ``fetching`` only. What is named in
``strandline.lists`` is what a member's program calls.
"""
