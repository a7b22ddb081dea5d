"""A pretrained language model that borrows from an archive: everything, a selection of it, or by learned weights."""
