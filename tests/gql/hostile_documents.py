"""Documents that cost far more than their size: each must be refused before it costs anything."""


def _doubling(levels: int, leaf: str) -> str:
    """Fragments that spread the next one twice: 2 ** levels fields when written out."""
    fragments = [
        f"fragment F{level} on Book {{ a{level}: sequel {{ ...F{level + 1} }} "
        f"b{level}: sequel {{ ...F{level + 1} }} }}"
        for level in range(levels)
    ]
    return " ".join(["{ book { ...F0 } }", *fragments, f"fragment F{levels} on Book {{ {leaf} }}"])


def _flat_doubling(levels: int) -> str:
    fragments = [
        f"fragment F{level} on Query {{ ...F{level + 1} ...F{level + 1} }}" for level in range(levels)
    ]
    return " ".join(["{ ...F0 }", *fragments, f"fragment F{levels} on Query {{ hello }}"])


def _inline_doubling(levels: int) -> str:
    inside = "hello"
    for _ in range(levels):
        inside = f"... {{ {inside} }} ... {{ {inside} }}"
    return f"{{ {inside} }}"


_NEST = "{ book " + "{ sequel " * 20 + "{ number }" + " }" * 20 + " }"
_PAGES = (
    "{ books(first: 200) { nodes { shelf(first: 200) { nodes { shelf(first: 200) { totalCount } } } } } }"
)
_CHAIN = " ".join(
    ["{ book { ...F0 } }"]
    + [f"fragment F{level} on Book {{ sequel {{ ...F{level + 1} }} }}" for level in range(100)]
    + ["fragment F100 on Book { number }"]
)
_MERGING = (
    "{ " + " ".join("book { sequel { sequel { sequel { number title } } } }" for _ in range(130)) + " }"
)
_CROSSED = " ".join(
    ["{ book { " + " ".join(f"...F{number}" for number in range(150)) + " } }"]
    + [f"fragment F{number} on Book {{ sequel {{ number }} }}" for number in range(150)]
)
_UNUSED_MERGING = "{ hello } fragment F on Query { " + "hello " * 1_500 + "}"
_SHADOWED = "{ ...F } fragment F on Query { " + "hello " * 900 + "} fragment F on Query { hello }"
_CYCLE = "{ book { ...A } } fragment A on Book { sequel { ...B } } fragment B on Book { sequel { ...A } }"
_SELF = "{ book { ...A } } fragment A on Book { number ...A }"
_UNUSED_CYCLE = "{ hello } fragment A on Book { ...B } fragment B on Book { ...A }"

HOSTILE: dict[str, tuple[str, str]] = {
    "many tokens": ("{ " + "hello " * 2_100 + "}", "TOO_LARGE"),
    "a long comment": ("{ hello } #" + "x" * 200_000, "TOO_LARGE"),
    "many comments": ("#\n" * 5_000 + "{ hello }", "TOO_LARGE"),
    "a long string": ('{ hello(name: "' + "x" * 150_000 + '") }', "TOO_LARGE"),
    "a long name": ("{ " + "x" * 150_000 + " }", "TOO_LARGE"),
    "deep selections": (_NEST, "TOO_COSTLY"),
    "deeper than the parser goes": ("{ book " * 300 + "}" * 300, "TOO_LARGE"),
    "deep lists": ("{ echo(value: " + "[" * 900 + "]" * 900 + ") }", "TOO_LARGE"),
    "deep objects": ("{ echo(value: " + "{a: " * 400 + "1" + "}" * 400 + ") }", "TOO_LARGE"),
    "deep types": ("query ($a: " + "[" * 900 + "Int" + "]" * 900 + ") { hello }", "TOO_LARGE"),
    "unclosed braces": ("{" * 1_900, "BAD_USER_INPUT"),
    "aliases": ("{ " + " ".join(f"a{number}: hello" for number in range(60)) + " }", "TOO_COSTLY"),
    "aliases within fragments": (
        "{ "
        + " ".join(f"a{number}: book {{ ...F }}" for number in range(10))
        + " } fragment F on Book { "
        + " ".join(f"b{number}: number" for number in range(10))
        + " }",
        "TOO_COSTLY",
    ),
    "the same field many times": ("{ " + "hello " * 500 + "}", "TOO_COSTLY"),
    "__typename many times": ("{ " + "__typename " * 500 + "}", "TOO_COSTLY"),
    "merging selections": (_MERGING, "TOO_COSTLY"),
    "merging through fragments": (_CROSSED, "TOO_COSTLY"),
    "merging in a fragment without use": (_UNUSED_MERGING, "TOO_COSTLY"),
    "merging in a shadowed fragment": (_SHADOWED, "TOO_COSTLY"),
    "doubling fragments": (_doubling(14, "number"), "TOO_COSTLY"),
    "many doubling fragments": (_doubling(60, "number"), "TOO_COSTLY"),
    "fragments that double in place": (_flat_doubling(25), "TOO_COSTLY"),
    "a hundred doubling fragments": (_flat_doubling(100), "TOO_COSTLY"),
    "inline fragments that double": (_inline_doubling(8), "TOO_COSTLY"),
    "a chain of fragments": (_CHAIN, "TOO_COSTLY"),
    "a cycle of fragments": (_CYCLE, "BAD_USER_INPUT"),
    "a fragment in itself": (_SELF, "BAD_USER_INPUT"),
    "a cycle without use": (_UNUSED_CYCLE, "BAD_USER_INPUT"),
    "directives on a field": ("{ hello " + "@include(if: true) " * 6 + "}", "TOO_COSTLY"),
    "directives on an operation": ("query " + "@a " * 500 + "{ hello }", "TOO_COSTLY"),
    "directives on a variable": ("query ($a: Int " + "@a " * 500 + ") { hello }", "TOO_COSTLY"),
    "directives on a spread": ("{ ...F " + "@a " * 300 + "} fragment F on Query { hello }", "TOO_COSTLY"),
    "unknown fields": ("{ " + " ".join(f"x{number}" for number in range(900)) + " }", "BAD_USER_INPUT"),
    "many operations": (" ".join(f"query Q{number} {{ hello }}" for number in range(300)), "BAD_USER_INPUT"),
    "pages within pages": (_PAGES, "TOO_COSTLY"),
    "a huge page": ("{ books(first: 2147483647) { nodes { number } } }", "TOO_COSTLY"),
    "a page of thousands of digits": (
        "{ books(first: " + "9" * 5_000 + ") { nodes { number } } }",
        "BAD_USER_INPUT",
    ),
    "pages without a size": (
        "{ books { nodes { shelf { nodes { shelf { nodes { number title } } } } } } }",
        "TOO_COSTLY",
    ),
    "circular introspection": (
        "{ __schema { types { fields { type { fields { type { fields { name } } } } } } } }",
        "BAD_USER_INPUT",
    ),
    "type definitions": ("type A { b: Int } " * 150, "BAD_USER_INPUT"),
    "duplicate variables": (
        "query (" + " ".join("$a: Int" for _ in range(400)) + ") { hello }",
        "BAD_USER_INPUT",
    ),
    "many arguments": (
        "{ hello(" + " ".join(f"a{number}: 1" for number in range(600)) + ") }",
        "BAD_USER_INPUT",
    ),
}
"""What it does -> (the document, the code it is refused with)."""
