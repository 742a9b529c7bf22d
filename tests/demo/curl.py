"""The few options of curl that the documentation uses, for machines that have no curl."""

import argparse
import base64
import sys
import urllib.error
import urllib.request
from pathlib import Path


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("-s", action="store_true")
    parser.add_argument("-X", default="")
    parser.add_argument("-u", default="")
    parser.add_argument("-H", action="append", default=[])
    parser.add_argument("-d", default=None)
    asked = parser.parse_args()
    headers = dict(header.split(": ", 1) for header in asked.H)
    if asked.u:
        headers["Authorization"] = "Basic " + base64.b64encode(asked.u.encode()).decode()
    body = asked.d
    if body is not None and body.startswith("@"):
        body = Path(body[1:]).read_text(encoding="utf-8")
    headers.setdefault("Content-Type", "application/x-www-form-urlencoded")
    method = asked.X or ("GET" if body is None else "POST")
    data = None if body is None else body.encode()
    request = urllib.request.Request(asked.url, data, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            sys.stdout.buffer.write(answer.read())
    except urllib.error.HTTPError as refusal:  # to curl an answer like any other
        sys.stdout.buffer.write(refusal.read())


main()
