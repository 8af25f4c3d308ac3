"""The certificate of the class's server, signed by an authority of its own: no public one signs for a school's server.

Browsers lend the microphone, MIDI keyboards and quick audio to pages over https alone. A tablet trusts the server once
the authority's certificate is installed on it. The authority's key signs this one certificate and is then forgotten,
so that the file on the tablet can never vouch for anything else.
"""

import datetime
import hashlib
import ipaddress
import os
import ssl
import time
from collections.abc import Sequence
from pathlib import Path

#: Validity in days; tablets refuse more than 825.
DAYS = 397

#: So many days before its end, a start makes another one.
LAST_DAYS = 30

#: The files in the hub's folder: the server's certificate, its key, and the certificate that tablets install.
CERTIFICATE, KEY, AUTHORITY = "certificate.pem", "key.pem", "authority.crt"


def make(folder: Path, hosts: Sequence[str]) -> None:
    """Write a certificate, its key and the authority's certificate for a server with these names and addresses."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    def named(title: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, title)])

    begin = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=1)
    issuer, authority_key, key = (
        named(f"ml4music class {begin:%Y-%m-%d}"),
        *(ec.generate_private_key(ec.SECP256R1()) for _ in range(2)),
    )

    def signed(subject: x509.Name, public: ec.EllipticCurvePublicKey, is_authority: bool) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder(issuer, subject, public, x509.random_serial_number())
            .not_valid_before(begin)
            .not_valid_after(begin + datetime.timedelta(days=DAYS))
            .add_extension(x509.BasicConstraints(is_authority, 0 if is_authority else None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()), False)
        )

    names: list[x509.GeneralName] = []
    for host in dict.fromkeys(hosts):
        try:
            names.append(x509.IPAddress(ipaddress.ip_address(host)))
        except ValueError:
            names.append(x509.DNSName(host))
    authority = signed(issuer, authority_key.public_key(), is_authority=True)
    server = (
        signed(named("ml4music class server"), key.public_key(), is_authority=False)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
    )
    pem = serialization.Encoding.PEM
    signatures = [builder.sign(authority_key, hashes.SHA256()).public_bytes(pem) for builder in (server, authority)]
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    descriptor = os.open(folder / KEY, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(private)
    (folder / CERTIFICATE).write_bytes(b"".join(signatures))
    (folder / AUTHORITY).write_bytes(signatures[1])


def is_wanted(folder: Path) -> bool:
    """Whether there is none yet, a full disk has left half of one, or it ends soon."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        context.load_verify_locations(folder / AUTHORITY)
    except (FileNotFoundError, ssl.SSLError):
        return True
    (authority,) = context.get_ca_certs()
    return ssl.cert_time_to_seconds(str(authority["notAfter"])) - time.time() < LAST_DAYS * 24 * 3600


def fingerprint(path: Path) -> str:
    """The SHA-256 of the first certificate in a file, as browsers show it."""
    first = path.read_text("ascii").split("-----END CERTIFICATE-----")[0] + "-----END CERTIFICATE-----\n"
    digest = hashlib.sha256(ssl.PEM_cert_to_DER_cert(first)).hexdigest().upper()
    return ":".join(digest[at : at + 2] for at in range(0, len(digest), 2))
