"""The simulated web: hosts, names, registries and mail, on loopback sockets only.

Tests and the demonstration report pages of this web, capture them, trace their hosts and mail
them notices, over real sockets. Everything follows from a table (``hosts``), a clock kept in a
file (``clock``) and the mail that arrived (a Maildir), so that six weeks pass in seconds and a
restarted process continues where the last one ended. The pictures are drawn shapes.

This room binds loopback addresses and writes below the directory it is given. Only the story told
on this web uses the product; the web itself imports no other room, and no other room imports it.
"""
