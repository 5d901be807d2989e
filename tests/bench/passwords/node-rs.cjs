// For each line "PHC password" that comes in, the time of one verification, in milliseconds, goes out.
const { verifySync } = require("@node-rs/argon2");

require("node:readline").createInterface({ input: process.stdin }).on("line", (line) => {
  const [hash, password] = line.split(" ");
  const started = process.hrtime.bigint();
  const right = verifySync(hash, password);
  const took = Number(process.hrtime.bigint() - started) / 1e6;
  process.stdout.write(right ? `${took}\n` : "wrong\n");
});
