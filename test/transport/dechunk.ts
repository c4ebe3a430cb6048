import assert from 'node:assert/strict';
import { parseAnswer } from '../support/raw-answer.ts';

/** The chunks of a body that is whole, or of one that is still open; latin1. */
export function dechunk(body: string, isOpen = false): Buffer {
  const answer = parseAnswer(
    `HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n${body}${isOpen ? '0\r\n\r\n' : ''}`,
  );
  assert.ok(answer?.isWhole, 'a last chunk ends the body');
  assert.equal(answer.rest, '');
  return Buffer.from(answer.body, 'latin1');
}
