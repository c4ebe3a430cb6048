import { gunzip } from 'node:zlib';
import { ProxyError } from '../shared/errors.ts';
import type { Answer } from './answer.ts';

/** The content coding of an answer, in lower case; empty for none. */
export function contentCoding({ headers }: Pick<Answer, 'headers'>): string {
  const coding = headers.get('content-encoding')?.trim().toLowerCase() ?? '';
  return coding === 'identity' ? '' : coding;
}

/**
 * The body without its content coding. At most gzip was asked for.
 *
 * SECURITY: bounded output against decompression bombs, and never Brotli (CVE-2026-111497).
 *
 * @throws {ProxyError} `UPSTREAM_INVALID`, `UPSTREAM_TOO_LARGE`.
 */
export function decode(answer: Answer, maxBytes: number): Promise<Buffer> {
  const { body } = answer;
  const coding = contentCoding(answer);
  if (coding === '' || body.length === 0) return Promise.resolve(body);
  if (coding !== 'gzip' && coding !== 'x-gzip') {
    const detail = `the answer is encoded as "${coding}", which was not asked for`;
    return Promise.reject(new ProxyError('UPSTREAM_INVALID', detail));
  }
  return new Promise((resolve, reject) => {
    gunzip(body, { maxOutputLength: maxBytes }, (error, decoded) => {
      if (!error) resolve(decoded);
      else if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE')
        reject(tooLarge(maxBytes));
      else reject(new ProxyError('UPSTREAM_INVALID', 'the gzip data is broken', { cause: error }));
    });
  });
}

/** The failure of an answer that is larger than it may be. */
export function tooLarge(maxBytes: number): ProxyError {
  return new ProxyError('UPSTREAM_TOO_LARGE', `the answer is larger than ${maxBytes} bytes`);
}
