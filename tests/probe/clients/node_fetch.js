// Node's fetch, which has a pool of its own. A connection goes back there a moment after its response was read.
const { setTimeout: sleep } = require("node:timers/promises");

const [url, method, pause] = process.argv.slice(2);

const ask = async () => {
  const response = await fetch(url, { method, body: method === "POST" ? "x=1" : undefined });
  await response.text();
  if (!response.ok) throw new Error(response.status);
};

ask()
  .then(() => sleep(Number(pause) * 1000))
  .then(ask);
