// `npm start`: the example site and the proxy before it, from one command. Ends when either ends.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const sitePort = process.env.SITE_PORT || '3000';
const proxyPort = process.env.PROXY_PORT || '8080';
const root = fileURLToPath(new URL('..', import.meta.url));

const children = [
  start('the example site', 'examples/operations-board/server.js', [], { PORT: sitePort }),
  start('the proxy', 'bin/comet-proxy.js', ['run', '--config', 'proxy.config.json'], {
    SITE_PORT: sitePort,
    PROXY_PORT: proxyPort,
  }),
];

const base = `http://127.0.0.1:${proxyPort}`;
let isAnnounced = false;
let stopping = false;

children[1].stdout.on('data', (chunk) => {
  process.stdout.write(chunk);
  if (isAnnounced || !chunk.includes('listening on')) return;
  isAnnounced = true;
  console.log(
    `\nOpen ${base}/ : an old site that polls, unchanged, through the proxy. Then try:\n` +
      `  curl -N -H 'Accept: text/event-stream' ${base}/api/status\n` +
      `  curl -N '${base}/_comet/stream?url=/api/status&url=/camera.png'\n` +
      'Ctrl-C stops both.\n',
  );
});

for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => stop(signal));

function start(name, file, args, env) {
  const child = spawn(process.execPath, [file, ...args], {
    cwd: root,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
    // Its own group: a Ctrl-C in the terminal reaches it once, through us.
    detached: true,
  });
  if (name === 'the example site') child.stdout.pipe(process.stdout);
  child.once('exit', (code, signal) => {
    if (!stopping) {
      console.error(`${name} ended (${signal ?? `exit code ${code}`}), stopping the other`);
      process.exitCode = code || 1;
    }
    stop('SIGTERM');
  });
  return child;
}

function stop(signal) {
  stopping = true;
  for (const child of children ?? []) {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal);
  }
}
