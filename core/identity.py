"""The normal form of a phone number and of an e-mail address: what makes two leads the same."""

import re

import phonenumbers

from core.plain_phone import plain_phone

MAX_RAW_PHONE = 64
AS_DECIMAL = re.compile(r"([0-9]{6,})[.,]00?")
AS_POWER = re.compile(r"[0-9]+([.,][0-9]+)?[eE][+-]?[0-9]+")
"""What programs make of phones that they take for numbers: `30123456.0`, `4.93E+10`."""

NO_LABEL = ("..", ".-", "-.")
"""What a domain has where a label is empty, or begins or ends with a hyphen."""


def normal_phone(raw: str, region: str) -> str | None:
    """E.164 form of a number as it is written in `region` (ISO 3166 alpha-2), or None where it is not valid.

    Extensions are dropped: the number that is dialled is what identifies. So are decimals that are none.
    Applying it to its own answer changes nothing.
    """
    if not raw or len(raw) > MAX_RAW_PHONE:
        return None
    if raw[-1] == "0" and (decimal := AS_DECIMAL.fullmatch(raw)):
        raw = decimal[1]
    if (plain := plain_phone(raw, region)) is not None:
        return plain
    if AS_POWER.fullmatch(raw):
        return None
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
