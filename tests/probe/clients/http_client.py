"""Python's http.client: one connection object, which connects again when it knows that it must."""

import http.client
import sys
import time
import urllib.parse

url, method, pause = sys.argv[1:]
parts = urllib.parse.urlsplit(url)
connection = http.client.HTTPConnection(parts.netloc)
for turn in range(2):
    if turn:
        time.sleep(float(pause))
    body = b"x=1" if method == "POST" else None
    connection.request(method, parts.path + "?" * bool(parts.query) + parts.query, body)
    response = connection.getresponse()
    response.read()
    assert response.status == 200, response.status
