import { Transform } from 'node:stream';
import { createGunzip, createGzip, constants as zlib } from 'node:zlib';
import type { RawHeaders } from '../shared/raw-headers.ts';
import { headerValues, listItems } from '../shared/raw-headers.ts';

/** Something that changes a text which comes in pieces. */
export interface TextStep {
  write(piece: string): string;
  end(): string;
  /** True when it changes nothing any more, and holds nothing back. */
  readonly isDone?: boolean;
}

/** Codings of a body that can be taken off and put on again. */
export type ReadableCoding = 'identity' | 'gzip';

/** The coding of an answer's body; `undefined` when it cannot be read. */
export function readableCoding(headers: RawHeaders): ReadableCoding | undefined {
  const codings = headerValues(headers, 'content-encoding')
    .flatMap(listItems)
    .filter((coding) => coding.toLowerCase() !== 'identity');
  if (codings.length === 0) return 'identity';
  return codings.length === 1 && /^(?:x-)?gzip$/i.test(codings[0] ?? '') ? 'gzip' : undefined;
}

/** The coding to ask for that can be read and that the client takes. */
export function codingToAskFor(headers: RawHeaders): ReadableCoding {
  const accepted = headerValues(headers, 'accept-encoding').join(',');
  const isGzip = /(?:^|[\s,])gzip\s*(?:,|$|;\s*q=(?!0(?:\.0*)?\s*(?:,|$)))/i.test(accepted);
  return isGzip ? 'gzip' : 'identity';
}

/** What a body in this coding has to go through to be changed by these steps, one after the other. */
export function throughSteps(coding: ReadableCoding, steps: readonly TextStep[]): Transform[] {
  const text = textTransform(steps);
  return coding === 'gzip' ? [gunzip(), text, gzip()] : [text];
}

function textTransform(steps: readonly TextStep[]): Transform {
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      if (steps.every(({ isDone = false }) => isDone)) return done(null, chunk);
      let text = chunk.toString('latin1');
      for (const step of steps) text = step.write(text);
      done(null, Buffer.from(text, 'latin1'));
    },
    flush(done) {
      let text = '';
      for (const step of steps) text = step.write(text) + step.end();
      done(null, Buffer.from(text, 'latin1'));
    },
  });
}

/** A page that is sent in pieces is to be shown in pieces. */
function gzip(): Transform {
  return createGzip({ flush: zlib.Z_SYNC_FLUSH });
}

/** Some servers say gzip of a page that has no bytes at all. */
function gunzip(): Transform {
  const stream = createGunzip();
  const flush = stream._flush.bind(stream);
  stream._flush = (done) => (stream.bytesWritten === 0 ? done() : flush(done));
  return stream;
}
