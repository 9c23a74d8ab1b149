"""The pages of each face: one module a face, chosen at start."""
