"""The few options of curl that the documentation uses, for machines that have no curl."""

import argparse
import base64
import sys
from pathlib import Path

import httpx


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
    answer = httpx.request(method, asked.url, headers=headers, content=body, timeout=30)
    sys.stdout.write(answer.text)


main()
