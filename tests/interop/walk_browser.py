#!/usr/bin/env python3
"""A $BROWSER for `meshauth login`: walks a provider's pages and comes back to loopback.

WALK is JSON: "issuer", "ca", "user", "log" (a file: what the last page said, or what went
wrong), and perhaps "stop" (a link that is followed instead of logging in), "change"
([from, to] in the URL that leads back) or "strays" (queries that come back before it)."""
import json
import os
import pathlib
import sys
import traceback
import urllib.error
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from oidc_peer import Browser  # noqa: E402

walk = json.loads(os.environ["WALK"])
log = pathlib.Path(walk["log"])
try:
    back = Browser(walk["issuer"], walk["ca"]).walk(sys.argv[1], walk["user"], "http://127.0.0.1:", walk.get("stop"))
    back = back.replace(*walk.get("change", ("", "")))
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:  # an icon first, as browsers do
        opener.open(back.split("/callback")[0] + "/favicon.ico", timeout=10)
    except urllib.error.HTTPError as e:
        assert e.code == 404, e.code
    for stray in walk.get("strays", []):
        opener.open(back.split("?")[0] + "?" + stray, timeout=10).read()
    log.write_text(opener.open(back, timeout=10).read().decode())
except BaseException:
    log.write_text(traceback.format_exc())
