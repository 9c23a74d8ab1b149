"""Console: the pages of the people who work here: queue, assessing, records, settings of people.

May touch: every room below it, through its verbs. Holds no table of its own. Every page declares
the permission it needs (``accounts.access.allow``); one that does not is not served.
"""
