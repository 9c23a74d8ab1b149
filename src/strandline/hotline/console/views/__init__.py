"""The pages, one module a concern. No rules here: each calls a verb and shows what came of it."""
