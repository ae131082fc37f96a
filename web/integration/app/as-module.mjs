/** The packed client in Node.js or Deno, imported: answers with what a call answered. Its argument is the server. */

import { createClient } from "@vagus/client";

const client = createClient({ url: process.argv[2] });
client.connect();
console.log(await client.call("echo", "imported"));
client.close();
