"""Recognise what may identify a person: addresses and numbers of well-known forms.

Rules of this file: cheap cues first, so a text without digits and `@` costs next to nothing. What is set aside for
examples and fiction by those who hand numbers out (RFC 2606, RFC 5737, 555-01xx) identifies nobody. A rejection tells
the kind and not the find.
"""

import ipaddress
from collections.abc import Callable

import re2

from corpusmill.chain.filters.subject import Check, Rejection, Subject
from corpusmill.spec.schema import Filter, PersonalKind

_CUE = re2.compile(r"\d[\d .()\-]{5,}\d")
"""No number below matches where this does not."""

_EMAIL = re2.compile(r"(?i)\b[a-z0-9._%+\-]{1,64}@((?:[a-z0-9\-]{1,63}\.){1,8}[a-z]{2,24})\b")
_RESERVED = ("example.com", "example.net", "example.org", ".example", ".test", ".invalid", ".localhost")
_PHONE = re2.compile(
    r"\+\d{1,3}(?:[ .\-]?\(?\d{1,4}\)?){2,5}\b|\(\d{3}\) ?\d{3}[ .\-]\d{4}\b|\b\d{3}[.\-]\d{3}[.\-]\d{4}\b"
)
_SSN = re2.compile(r"\b(\d{3})-(\d{2})-(\d{4})\b")
_CARD = re2.compile(r"\b[2-6]\d{3}(?:[ \-]?\d){9,15}\b")
_IP = re2.compile(r"(?:^|[^\d.])(\d{1,3}(?:\.\d{1,3}){3})(?:$|[^\d.]|\.(?:$|\D))")


def personal(spec: Filter) -> Check | None:
    """The text holds nothing that may identify a person."""
    if spec.no_pii is False:
        return None
    kinds = tuple(_NUMBERS) if spec.no_pii is True else tuple(kind for kind in _NUMBERS if kind in spec.no_pii)
    email = spec.no_pii is True or "email" in spec.no_pii

    def check(subject: Subject) -> Rejection | None:
        text = subject.text
        if email and "@" in text and _has_email(text):
            return Rejection("no_pii", "an email address")
        if kinds and _CUE.search(text):
            for kind in kinds:
                if _NUMBERS[kind](text):
                    return Rejection("no_pii", _NAMES[kind])
        return None

    return check


def _has_email(text: str) -> bool:
    return any(not found.group(1).lower().endswith(_RESERVED) for found in _EMAIL.finditer(text))


def _has_phone(text: str) -> bool:
    for found in _PHONE.finditer(text):
        digits = "".join(each for each in found.group() if each.isdigit())
        if 8 <= len(digits) <= 15 and not digits[-7:].startswith("55501"):
            return True
    return False


def _has_ssn(text: str) -> bool:
    return any(
        area not in ("000", "666") and area < "900" and group != "00" and serial != "0000"
        for area, group, serial in (found.groups() for found in _SSN.finditer(text))
    )


def _has_card(text: str) -> bool:
    return any(_luhn([int(each) for each in found.group() if each.isdigit()]) for found in _CARD.finditer(text))


def _luhn(digits: list[int]) -> bool:
    """Whether the check digit fits (ISO/IEC 7812-1), and not all digits are one."""
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[-2::-2]]
    return len(digits) <= 19 and len(set(digits)) > 1 and (sum(doubled) + sum(digits[::-2])) % 10 == 0


def _has_ip(text: str) -> bool:
    for found in _IP.finditer(text):
        try:
            if ipaddress.IPv4Address(found.group(1)).is_global:
                return True
        except ValueError:
            continue
    return False


_NUMBERS: dict[PersonalKind, Callable[[str], bool]] = {
    "phone": _has_phone,
    "ssn": _has_ssn,
    "card": _has_card,
    "ip": _has_ip,
}
_NAMES = {
    "phone": "a phone number",
    "ssn": "a social security number",
    "card": "a card number",
    "ip": "an IP address",
}
