import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { createAsk } from '../../src/probe/ask.ts';
import { ProxyError } from '../../src/shared/errors.ts';
import { createFakeClock } from '../support/fake-clock.ts';

/** Ask for an answer with this body. */
function asked(body: Buffer, coding = '') {
  const headers = new Map([['content-encoding', coding]]);
  const poll = () => Promise.resolve({ status: 200, headers, setCookies: [], body });
  const rewrite = (_answer: unknown, decoded: Buffer) => Buffer.from(`<${decoded}>`);
  return createAsk({ poll, rewrite, maxBytes: 100, clock: createFakeClock() })();
}

test('a body is judged as clients get it: decompressed, and rewritten', async () => {
  const reply = await asked(gzipSync('hello'), 'gzip');
  assert.ok(reply.kind === 'answered');
  assert.deepEqual([reply.body.toString(), reply.bytes], ['<hello>', 5]);
});

test('an answer that cannot be decompressed has failed, with its status', async () => {
  for (const reply of [
    await asked(Buffer.from('x'), 'br'),
    await asked(Buffer.from('x'), 'gzip'),
    await asked(gzipSync('x'.repeat(101)), 'gzip'),
  ]) {
    assert.deepEqual([reply.kind, 'status' in reply && reply.status], ['failed', 200]);
  }
});

test('a poll that fails is no exception', async () => {
  const error = new ProxyError('UPSTREAM_RESET');
  const poll = () => Promise.reject(error);
  const clock = createFakeClock();
  const ask = createAsk({ poll, rewrite: undefined, maxBytes: 100, clock });
  assert.deepEqual(await ask(), { kind: 'failed', tookMs: 0, status: undefined, error });
});
