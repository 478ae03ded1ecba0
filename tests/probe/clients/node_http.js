// Node's http, with an agent like the global one since Node 19: it keeps connections for 5 seconds.
const http = require("node:http");
const { setTimeout: sleep } = require("node:timers/promises");

const [url, method, pause] = process.argv.slice(2);

const agent = new http.Agent({ keepAlive: true, scheduling: "lifo", timeout: 5000 });

const ask = () =>
  new Promise((resolve, reject) => {
    const request = http.request(url, { method, agent }, (response) => {
      response.resume();
      response.on("error", reject);
      response.on("end", () => (response.statusCode === 200 ? resolve() : reject(new Error(response.statusCode))));
    });
    request.on("error", reject);
    request.end(method === "POST" ? "x=1" : undefined);
  });

ask()
  .then(() => sleep(Number(pause) * 1000))
  .then(ask);
