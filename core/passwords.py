"""What a password must be."""

from collections.abc import Iterable, Sequence

from core.errors import BadInput
from core.fields import fold

MIN_LENGTH = 12
MAX_LENGTH = 200
MIN_DIFFERENT = 5


def check_password(password: str, personal: Iterable[str], field: Sequence[str]) -> None:
    """Raises BadInput for one that is too short, too long, too uniform, or says who its owner is.

    personal  name and address of the owner: half of it must be something else
    """
    if not MIN_LENGTH <= len(password) <= MAX_LENGTH:
        raise BadInput(f"A password has {MIN_LENGTH} to {MAX_LENGTH} characters.", field=field)
    if len(set(password)) < MIN_DIFFERENT:
        raise BadInput(f"A password has at least {MIN_DIFFERENT} different characters.", field=field)
    rest = fold(password)
    for part in sorted(_parts(personal), key=len, reverse=True):
        rest = rest.replace(part, "")
    if sum(map(str.isalnum, rest)) < MIN_LENGTH // 2:
        raise BadInput("A password must not be made of its owner's name or address.", field=field)


def _parts(personal: Iterable[str]) -> set[str]:
    words = {word for text in personal for word in fold(text).replace("@", " ").replace(".", " ").split()}
    return {word for word in words if len(word) >= 4}
