// What stands in front of the portal where it is deployed: answers are compressed, as CloudFront does, so that times on a
// slow line are those of the bytes that would be sent.

import { createServer, request } from "node:http";
import { brotliCompressSync, constants } from "node:zlib";

/** As CloudFront compresses on the way; what does not change is compressed once. */
const QUALITY = 5;
const COMPRESSED = /^(?:text\/|application\/(?:json|problem\+json|javascript)|image\/svg)/;

/** Listens before a portal; `origin` is where browsers go. */
export async function startEdge(portal) {
  const { hostname, port, host } = new URL(portal);
  const kept = new Map();
  const server = createServer((asked, answer) => {
    const onward = request({ hostname, port, path: asked.url, method: asked.method, headers: { ...asked.headers, host } }, (came) => {
      const parts = [];
      came.on("data", (part) => parts.push(part));
      came.on("end", () => {
        const plain = Buffer.concat(parts);
        const headers = { ...came.headers };
        delete headers["content-length"];
        delete headers["transfer-encoding"];
        if (plain.length === 0 || !COMPRESSED.test(headers["content-type"] ?? "")) {
          answer.writeHead(came.statusCode, headers).end(plain);
          return;
        }
        const body = kept.get(asked.url) ?? brotliCompressSync(plain, { params: { [constants.BROTLI_PARAM_QUALITY]: QUALITY } });
        if (headers["cache-control"]?.includes("immutable")) kept.set(asked.url, body);
        answer.writeHead(came.statusCode, { ...headers, "content-encoding": "br", "content-length": body.length }).end(body);
      });
    });
    onward.on("error", () => answer.writeHead(502).end());
    asked.pipe(onward);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    origin: `http://localhost:${server.address().port}`,
    stop: () => new Promise((resolve) => server.close(resolve).closeAllConnections()),
  };
}
