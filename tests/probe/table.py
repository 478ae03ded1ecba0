"""Prints what five clients make of a server that breaks their connections, as the table of docs/probe-client.md.

`python3 tests/probe/table.py [HOLDLINE]`, where HOLDLINE is the program, by default that of the release build."""

import json
import pathlib
import platform
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

HERE = pathlib.Path(__file__).parent
HOLDLINE = sys.argv[1] if len(sys.argv) > 1 else HERE / "../../target/release/holdline"
SCRIPTED = ["{url}", "{method}", "{pause}"]


def said_by(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split("\n")[0]


def card(command):
    output = subprocess.run([HOLDLINE, "probe-client", "--json", "--", *command], capture_output=True, text=True)
    return json.loads(output.stdout)


def script(program, name):
    return [program, str(HERE / "clients" / name), *SCRIPTED]


node = "Node " + said_by("node", "--version").lstrip("v")
versions = "import requests, urllib3; print(f'requests {requests.__version__} (urllib3 {urllib3.__version__})')"
clients = {
    " ".join(said_by("curl", "--version").split()[:2]): ["curl", "-s", "-X", "{method}", "--data", "x=1", "{url}", "{wait}", "{url}"],
    "http.client of " + said_by("python3", "--version"): script("python3", "http_client.py"),
    said_by("python3", "-c", versions): script("python3", "requests_session.py"),
    node + " http": script("node", "node_http.js"),
    node + " fetch": script("node", "node_fetch.js"),
}
# One after the other would take long, and each has a lab of its own.
with ThreadPoolExecutor(2) as pool:
    cards = list(pool.map(card, clients.values()))

print("| the server | |", " | ".join(clients), "|")
print("|---" * (len(clients) + 2) + "|")
for rows in zip(*(found["rows"] for found in cards)):
    said = (f"**{row['client']}**" if row["good"] is False else row["client"] for row in rows)
    print(f"| {rows[0]['server']} | {rows[0]['method']} |", " | ".join(said), "|")
print(f"\n{platform.system()} {platform.release()}, {platform.machine()}", file=sys.stderr)
