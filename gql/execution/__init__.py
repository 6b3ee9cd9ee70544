"""From the text of a request to its answer: parse, guard, validate, price, execute, mask."""
