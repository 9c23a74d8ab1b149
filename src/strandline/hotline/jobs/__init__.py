"""Jobs: work that is due, claimed with a lease, retried, and shown when it keeps failing.

May touch: its own tables, the rows of due work that other rooms register, the mail server.
There is no queue: a row that is due *is* the work, so that nothing can be lost between the two.
"""
