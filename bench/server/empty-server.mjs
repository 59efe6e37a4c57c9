import { createServer } from 'node:http';

const server = createServer((_request, response) => {
  response.writeHead(304);
  response.end();
});
server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`${JSON.stringify({ url: `http://127.0.0.1:${server.address().port}` })}\n`);
});
