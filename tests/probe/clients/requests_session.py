"""Python's requests: a session, which keeps a pool."""

import sys
import time

import requests

url, method, pause = sys.argv[1:]
with requests.Session() as session:
    for turn in range(2):
        if turn:
            time.sleep(float(pause))
        session.request(method, url, data=b"x=1" if method == "POST" else None).raise_for_status()
