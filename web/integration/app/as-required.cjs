/** The packed client in Node.js, required. Its argument is the server. */

const { createClient } = require("@vagus/client");

const client = createClient({ url: process.argv[2] });
client.connect();
client.call("echo", "required").then((answer) => {
  console.log(answer);
  client.close();
});
