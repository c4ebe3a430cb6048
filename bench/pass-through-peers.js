// What a user would take instead, and the least that Node can do, each as its manual shows it.
import { Agent, createServer } from 'node:http';

const [name, upstreamPort, port = 0] = process.argv.slice(2);
const target = `http://127.0.0.1:${upstreamPort}`;
const agent = new Agent({ keepAlive: true });

const peers = {
  async 'http-proxy'() {
    const { default: httpProxy } = await import('http-proxy-1.18');
    const proxy = httpProxy.createProxyServer({ target, agent });
    return createServer((req, res) => proxy.web(req, res));
  },

  async httpxy() {
    const { createProxyServer } = await import('httpxy');
    const proxy = createProxyServer({ target, agent });
    return createServer((req, res) => proxy.web(req, res));
  },

  async fastify() {
    const { default: fastify } = await import('fastify');
    const { default: proxy } = await import('@fastify/http-proxy');
    const app = fastify({ logger: false });
    app.register(proxy, { upstream: target });
    await app.ready();
    return app.server;
  },

  /** No header is looked at, no failure is caught, nothing waits for a slow reader. */
  async floor() {
    const { Pool } = await import('undici');
    const pool = new Pool(target);
    return createServer((req, res) => {
      const { method, url: path, rawHeaders: headers } = req;
      const body = method === 'POST' ? req : null;
      pool.dispatch(
        { method, path, headers, body },
        {
          onRequestStart() {},
          onResponseStart(_controller, status, answered) {
            res.writeHead(status, answered);
          },
          onResponseData(_controller, chunk) {
            res.write(chunk);
          },
          onResponseEnd() {
            res.end();
          },
          onResponseError(_controller, error) {
            throw error;
          },
        },
      );
    });
  },
};

const server = await peers[name]();
server.listen(port, '127.0.0.1', () => {
  console.log(`listening on http://127.0.0.1:${server.address().port}`);
});
