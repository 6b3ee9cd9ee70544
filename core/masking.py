"""Phone numbers as callers without the right to see them do."""


def masked_phone(text: str) -> str:
    """The number with all but its last two digits hidden, and everything else as it stands."""
    hidden = max(sum(sign.isdigit() for sign in text) - 2, 0)
    shown: list[str] = []
    for sign in text:
        if sign.isdigit() and hidden:
            hidden -= 1
            shown.append("•")
        else:
            shown.append(sign)
    return "".join(shown)
