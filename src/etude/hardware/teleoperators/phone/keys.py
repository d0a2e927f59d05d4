"""The key that encrypts the line to a phone: browsers give a page the phone's motion only over TLS."""

from __future__ import annotations

import datetime
import os
import ssl
from pathlib import Path

from etude.core.errors import MissingExtra

_DAYS = 825
"""Some phones take no certificate that lasts longer."""
_RENEW_BEFORE_DAYS = 30


def tls(folder: Path) -> ssl.SSLContext:
    """Give the server's side of TLS, with a key pair of this machine's own, kept in `folder`.

    It is made once, so that a phone that was told to trust it need not be told again until it runs out.
    """
    path = folder / "phone.pem"
    if not path.exists() or _runs_out(path):
        folder.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(f".{os.getpid()}.draft")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(_key_pair())
        draft.replace(path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # Tickets would come while the first request goes out, which SSL objects shared by two threads may trip over.
    context.num_tickets = 0
    context.load_cert_chain(path)
    return context


def _runs_out(path: Path) -> bool:
    from cryptography import x509  # noqa: PLC0415 - only a phone needs it

    end = x509.load_pem_x509_certificate(path.read_bytes()).not_valid_after_utc
    return end - _now() < datetime.timedelta(days=_RENEW_BEFORE_DAYS)


def _key_pair() -> bytes:
    """Make a private key and a certificate signed by itself, as PEM."""
    try:
        from cryptography import x509  # noqa: PLC0415 - only a phone needs it
        from cryptography.hazmat.primitives import hashes, serialization  # noqa: PLC0415
        from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise MissingExtra("A phone", "phone") from error
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "etude phone")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(_now() - datetime.timedelta(days=1))
        .not_valid_after(_now() + datetime.timedelta(days=_DAYS))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return private + certificate.public_bytes(serialization.Encoding.PEM)


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)
