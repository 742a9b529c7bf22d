"""Whose certificates are believed: those that this machine trusts, or those of a file."""

import ssl


def create_client_tls(ca_file: str) -> ssl.SSLContext:
    """For connections of ours: TLS 1.2 or later, to a server whose certificate is genuine.

    Reads files. Raises ValueError, which names the setting `ca_file`.
    """
    try:
        context = ssl.create_default_context(cafile=ca_file or None)
    except OSError as error:
        raise ValueError(f"ca_file: cannot be read ({error.strerror})") from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
