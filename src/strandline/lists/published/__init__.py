"""What a published list is made of: events in classes, blocks, pages, indexes, manifests, notes.

The files' exact form (docs/hashlist-format.md), read strictly and written one way; writing an
edition of them. Knows no server, no key and no member.
"""
