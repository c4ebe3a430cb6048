import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { ErrorCode } from '../shared/errors.ts';
import { ProxyError } from '../shared/errors.ts';
import { hasBody, headerValues } from '../shared/raw-headers.ts';
import { http2StreamOf } from '../shared/truncate.ts';
import type { Peer } from './identify-downstream.ts';
import { answerLocally } from './local-answers.ts';
import { refuse, respondWithError } from './respond.ts';
import type { Visitor } from './visitor.ts';

/** What a listener does with what it accepts. Neither may throw or reject. */
export interface Handlers {
  /** May call `res.writeContinue()` when it wants the body of a request that waits for that. */
  onRequest(req: IncomingMessage, res: ServerResponse, peer: Peer): void;
  /** An upgrade to WebSocket, its request checked for form. */
  onUpgrade(req: IncomingMessage, socket: Socket, head: Buffer, peer: Peer): void;
}

/** Receives what the servers of each version of HTTP have read. */
export interface Reception {
  /** Note who is at the other end of a connection, before its first request. */
  welcome(connection: Duplex, visitor: Visitor): void;
  onRequest(req: IncomingMessage, res: ServerResponse, connection?: Duplex): void;
  onExpect(req: IncomingMessage, res: ServerResponse, connection?: Duplex): void;
  onUpgrade(req: IncomingMessage, socket: Socket, head: Buffer): void;
}

/** Make the reception of one listener: what is refused or answered here goes no further. */
export function createReception(handlers: Handlers, bodyTimeoutMs: number): Reception {
  const visitors = new WeakMap<Duplex, Visitor>();

  function peerOf(connection: Duplex): Peer | ErrorCode {
    const visitor = visitors.get(connection);
    return visitor ? (visitor.refusal ?? visitor.peer) : 'INTERNAL';
  }

  function receive(req: IncomingMessage, res: ServerResponse, connection: Duplex): void {
    // Errors of either side are seen by whoever reads or writes; unheard they would end the process.
    req.on('error', unheard);
    res.on('error', unheard);
    const peer = peerOf(connection);
    if (typeof peer === 'string') respondWithError(res, new ProxyError(peer), 'close');
    else if (!answerLocally(req, res)) handlers.onRequest(req, res, peer);
    if (hasBody(req.rawHeaders)) endUnfinished(req, res, bodyTimeoutMs);
  }

  return {
    welcome: (connection, visitor) => void visitors.set(connection, visitor),
    onRequest: (req, res, connection = req.socket) => receive(req, res, connection),
    onExpect(req, res, connection = req.socket) {
      const expected = headerValues(req.rawHeaders, 'expect');
      if (expected.length !== 1 || expected[0]?.toLowerCase() !== '100-continue') {
        res.on('error', unheard);
        return respondWithError(res, new ProxyError('EXPECTATION_FAILED'), 'close');
      }
      // Node ends the connection with an answer that comes without the 100: what follows could be
      // the body nevertheless.
      receive(req, res, connection);
    },
    onUpgrade(req, socket, head) {
      req.on('error', unheard);
      const peer = peerOf(req.socket);
      if (typeof peer === 'string') refuse(socket, peer);
      else handlers.onUpgrade(req, socket, head, peer);
    },
  };
}

function unheard(): void {}

/** A body that its answer did not wait for does not keep the connection for ever. */
function endUnfinished(req: IncomingMessage, res: ServerResponse, timeoutMs: number): void {
  res.once('finish', () => {
    if (req.complete || http2StreamOf(req)) return;
    const { socket } = req;
    const timer = setTimeout(() => socket.destroy(), timeoutMs);
    const settle = () => {
      clearTimeout(timer);
      req.off('end', settle);
      socket.off('close', settle);
    };
    req.once('end', settle);
    socket.once('close', settle);
  });
}
