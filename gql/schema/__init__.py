"""Types, inputs and enums, one module a noun; each type is made from its row by `from_row`."""
