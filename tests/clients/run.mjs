// `node run.mjs MODULE FUNCTION`: calls it with the JSON of standard input, prints what it answers as JSON.
import { text } from "node:stream/consumers";

const [module, name] = process.argv.slice(2);
const functions = await import(`./${module}.mjs`);
const answer = await functions[name](JSON.parse(await text(process.stdin)));
// Clients may leave timers and sockets behind.
process.stdout.write(JSON.stringify(answer ?? null), () => process.exit(0));
