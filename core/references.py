"""The opaque ids of the API, where a rule has to read them: URL-safe base64 of `Noun:organisation:id`."""

from base64 import urlsafe_b64decode, urlsafe_b64encode


def read_reference(text: str, noun: str, organisation_id: int) -> int | None:
    """The number behind an opaque id, or None where it is not one of this noun in this organisation."""
    try:
        said = urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode("ascii")
    except ValueError:
        return None
    prefix = f"{noun}:{organisation_id}:"
    number = said.removeprefix(prefix)
    canonical = urlsafe_b64encode(said.encode()).decode().rstrip("=") == text
    plain = number.isdecimal() and len(number) <= 18
    return int(number) if canonical and plain and said.startswith(prefix) else None
