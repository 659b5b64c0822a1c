"""What pysnmp and we call alike: protocols of SNMPv3 by its names, its rows as ours."""

from collections.abc import Mapping
from typing import Any, Final

from pysnmp.entity import config

from collectors.snmp import ber
from collectors.snmp.message import Varbind
from collectors.snmp.usm import Auth, Priv

AUTHS: Final[Mapping[Auth, Any]] = {
    Auth.NONE: config.USM_AUTH_NONE,
    Auth.MD5: config.USM_AUTH_HMAC96_MD5,
    Auth.SHA: config.USM_AUTH_HMAC96_SHA,
    Auth.SHA224: config.USM_AUTH_HMAC128_SHA224,
    Auth.SHA256: config.USM_AUTH_HMAC192_SHA256,
    Auth.SHA384: config.USM_AUTH_HMAC256_SHA384,
    Auth.SHA512: config.USM_AUTH_HMAC384_SHA512,
}
PRIVS: Final[Mapping[Priv, Any]] = {
    Priv.NONE: config.USM_PRIV_NONE,
    Priv.DES: config.USM_PRIV_CBC56_DES,
    Priv.AES128: config.USM_PRIV_CFB128_AES,
    Priv.AES192: config.USM_PRIV_CFB192_AES_BLUMENTHAL,
    Priv.AES256: config.USM_PRIV_CFB256_AES_BLUMENTHAL,
}
_NUMBERS: Final = frozenset({ber.INTEGER, ber.COUNTER32, ber.COUNTER64, ber.TIME_TICKS, ber.GAUGE32})


def varbind(name: Any, value: Any) -> Varbind:
    """A row of pysnmp's as one of ours."""
    tag = octet(value)
    oid = ber.encode_oid(".".join(map(str, tuple(name))))
    if tag in (ber.NULL, *ber.EXCEPTIONS):
        return oid, tag, None
    if tag == ber.OBJECT_IDENTIFIER:
        return oid, tag, ber.encode_oid(".".join(map(str, tuple(value))))
    if tag in _NUMBERS:
        return oid, tag, int(value)
    return oid, tag, bytes(value)


def octet(value: Any) -> int:
    """The octet with which this value begins when it is encoded."""
    tag = value.tagSet.superTags[-1]
    return int(tag.tagClass | tag.tagFormat | tag.tagId)
