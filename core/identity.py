"""The normal form of a phone number and of an e-mail address: what makes two leads the same."""

import phonenumbers

from core.plain_phone import plain_phone

MAX_RAW_PHONE = 64
NO_LABEL = ("..", ".-", "-.")
"""What a domain has where a label is empty, or begins or ends with a hyphen."""


def normal_phone(raw: str, region: str) -> str | None:
    """E.164 form of a number as it is written in `region` (ISO 3166 alpha-2), or None where it is not valid.

    Extensions are dropped: the number that is dialled is what identifies.
    Applying it to its own answer changes nothing.
    """
    if not raw or len(raw) > MAX_RAW_PHONE:
        return None
    if (plain := plain_phone(raw, region)) is not None:
        return plain
    try:
        number = phonenumbers.parse(raw, region)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    number.extension = None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def normal_email(raw: str) -> str | None:
    """Lower-case form of an address, or None where it cannot be one."""
    address = raw.strip().casefold()
    local, at, domain = address.rpartition("@")
    if not at or not local or len(address) > 254 or len(address.split()) != 1:
        return None
    bounded = f".{domain}."
    if "." not in domain or any(bad in bounded for bad in NO_LABEL):
        return None
    return address
