"""Where a vendor's interface begins, as a setting: https, or plain http to this machine."""

from yarl import URL

_LOOPBACK = ("localhost", "127.0.0.1", "::1")


def parse_base_url(text: str, *, plain: bool = True) -> str:
    """Give the URL without a slash at its end. Raises ValueError, without the URL.

    `plain`: whether http will do to this machine, where a test's stand-in listens.
    """
    wanted = "must be an https:// URL" + (", or http:// to this machine" if plain else "")
    try:
        url = URL(text)
        host, _ = url.raw_host, url.port
    except ValueError as error:
        raise ValueError(wanted) from error
    if url.raw_user is not None or url.raw_query_string or url.raw_fragment:
        raise ValueError("must hold no user name, query or fragment")
    if not host or not (url.scheme == "https" or _is_plain_here(url, plain)):
        raise ValueError(wanted)
    return text.rstrip("/")


def check_base_url(setting: str, text: str, *, plain: bool = True) -> None:
    """For a struct of settings: raise ValueError that names the setting."""
    try:
        parse_base_url(text, plain=plain)
    except ValueError as error:
        raise ValueError(f"{setting}: {error}") from error


def _is_plain_here(url: URL, plain: bool) -> bool:
    return plain and url.scheme == "http" and url.raw_host in _LOOPBACK
