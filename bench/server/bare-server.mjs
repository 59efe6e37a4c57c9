/**
 * A node:http server that makes no decisions: the lower bound for a Node.js server. It responds with 304 or a body, or leaves the body to
 * nginx.
 */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';

const [how, path] = process.argv.slice(2);
const responses = {
  nothing: () => [304, {}],
  body: (body = readFileSync(path)) => [200, { 'Content-Length': body.length }, body],
  accelerated: () => [200, { 'X-Accel-Redirect': path }],
};
const [status, headers, body] = responses[how]();
const server = createServer((_request, response) => {
  response.writeHead(status, headers);
  response.end(body);
});
server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`${JSON.stringify({ url: `http://127.0.0.1:${server.address().port}` })}\n`);
});
