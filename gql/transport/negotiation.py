"""Which media type a response has: the `Accept` header against what this server speaks."""

from collections.abc import Iterable

GRAPHQL_RESPONSE = "application/graphql-response+json"
JSON = "application/json"
EVENT_STREAM = "text/event-stream"
HTML = "text/html"

# Which of several that the client likes equally, best first.
_SPOKEN = (GRAPHQL_RESPONSE, JSON, EVENT_STREAM)
_OF_ANY_KIND = "*/*"
_OF_ANY_APPLICATION = "application/*"


def response_type(accept: str | None) -> str | None:
    """The media type to answer in, None where nothing this server speaks is acceptable."""
    ranges = _ranges(accept or _OF_ANY_KIND)
    wildcard = ranges.get(_OF_ANY_APPLICATION, ranges.get(_OF_ANY_KIND, 0.0))
    qualities = {media: ranges[media] for media in _SPOKEN if media in ranges}
    # A wildcard means plain JSON, as who knows the newer type names it; and nothing that is named.
    qualities |= {media: wildcard for media in (JSON, GRAPHQL_RESPONSE) if media not in qualities}
    best = max(qualities, key=qualities.__getitem__)
    return best if qualities[best] > 0 else None


def accepts_events(accept: str | None) -> bool:
    """Whether an event stream is among what the client takes."""
    return _ranges(accept or "").get(EVENT_STREAM, 0.0) > 0


def accepts_html(accept: str | None) -> bool:
    """Whether a browser asks for a page: HTML is named, and liked at least as much as what we speak."""
    ranges = _ranges(accept or "")
    html = ranges.get(HTML, 0.0)
    return html > 0 and html >= max(ranges.get(media, 0.0) for media in _SPOKEN)


def is_json(content_type: str | None) -> bool:
    """Whether a body is `application/json` in UTF-8."""
    media, *parameters = (content_type or "").lower().split(";")
    return media.strip() == JSON and _in_utf8(parameters)


def _ranges(accept: str) -> dict[str, float]:
    """Quality by media range; ranges in another character set are left out."""
    ranges: dict[str, float] = {}
    for part in accept.lower().split(","):
        media, *parameters = part.split(";")
        if _in_utf8(parameters):
            ranges[media.strip()] = max(ranges.get(media.strip(), 0.0), _quality(parameters))
    return ranges


def _quality(parameters: Iterable[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                quality = float(value)
            except ValueError:
                return 0.0
            return quality if 0.0 <= quality <= 1.0 else 0.0
    return 1.0


def _in_utf8(parameters: Iterable[str]) -> bool:
    charsets = (
        value.strip(' "')
        for name, _, value in (parameter.partition("=") for parameter in parameters)
        if name.strip() == "charset"
    )
    return all(charset in ("utf-8", "utf8") for charset in charsets)
