"""The opaque ids of the API, where a rule has to read them: URL-safe base64 of `Noun:organisation:id`."""

from base64 import urlsafe_b64decode, urlsafe_b64encode


def reference_to(noun: str, organisation_id: int, number: int) -> str:
    """The opaque id of an object."""
    return urlsafe_b64encode(f"{noun}:{organisation_id}:{number}".encode()).decode().rstrip("=")


def read_reference(text: str, noun: str, organisation_id: int) -> int | None:
    """The number behind an opaque id, or None where it is not one of this noun in this organisation."""
    found = read_any_reference(text, noun)
    return found[1] if found is not None and found[0] == organisation_id else None


def read_any_reference(text: str, noun: str) -> tuple[int, int] | None:
    """Organisation and number behind an opaque id, or None where it is not one of this noun."""
    try:
        said = urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode("ascii")
    except ValueError:
        return None
    canonical = urlsafe_b64encode(said.encode()).decode().rstrip("=") == text
    kind, _, rest = said.partition(":")
    organisation, _, number = rest.partition(":")
    plain = all(part.isdecimal() and len(part) <= 18 for part in (organisation, number))
    if not canonical or kind != noun or not plain or organisation != str(int(organisation)):
        return None
    return int(organisation), int(number)


def reference_of(text: str, organisation_id: int) -> tuple[str, int] | None:
    """The noun and number behind an opaque id of this organisation, or None where it is not one."""
    try:
        noun = urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode("ascii").partition(":")[0]
    except ValueError:
        return None
    number = read_reference(text, noun, organisation_id)
    return None if number is None else (noun, number)
