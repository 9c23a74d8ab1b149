"""Site: settings, addresses, security headers and the templates all faces share.

May touch: everything in the hotline, to put it together; holds no rules of its own.
"""
