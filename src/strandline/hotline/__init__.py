"""The hotline: a Django project that keeps the record and calls the engine.

Rooms import downwards only (kept by import-linter)::

    site
    intake | console | partners | statistics
    takedown | hashlist
    assessment | wellbeing
    reports
    accounts | jobs
    audit

Views hold no rules: each thing a person can do is one function with the field's verb, in one
transaction, with its audit entry written in that same transaction.
"""
