/* What the tests use of servers that come without types. */

declare module 'faye/src/faye_node.js' {
  import type { IncomingMessage, Server } from 'node:http';

  export interface Message {
    readonly id: string;
    readonly channel: string;
    readonly data?: unknown;
  }

  type Stage = (
    message: Message,
    request: IncomingMessage | null,
    pass: (message: Message) => void,
  ) => void;

  export interface Extension {
    readonly incoming: Stage;
    readonly outgoing: Stage;
  }

  export interface Client {
    publish(channel: string, data: unknown): PromiseLike<unknown>;
    disconnect(): void;
  }

  export class NodeAdapter {
    constructor(options: {
      mount: string;
      timeout: number;
      extensions: readonly Extension[];
    });
    attach(server: Server): void;
    getClient(): Client;
    close(): void;
  }

  const faye: { readonly NodeAdapter: typeof NodeAdapter };
  export default faye;
}

declare module 'sockjs' {
  import type { Server } from 'node:http';

  export interface Connection {
    on(event: 'data', listener: (text: string) => void): void;
    on(event: 'close', listener: () => void): void;
    write(text: string): void;
  }

  export interface SockjsServer {
    on(event: 'connection', listener: (connection: Connection | null) => void): void;
    installHandlers(server: Server): void;
  }

  export interface Options {
    readonly prefix: string;
    readonly sockjs_url: string;
    readonly jsessionid: boolean;
    readonly disconnect_delay: number;
    readonly log: (severity: string, line: string) => void;
  }

  const sockjs: { createServer(options: Options): SockjsServer };
  export default sockjs;
}

declare module 'socket.io-2' {
  import type { Server } from 'node:http';

  export interface Socket {
    on(event: string, listener: (text: string) => void): void;
  }

  export interface SocketIo {
    on(event: 'connection', listener: (socket: Socket) => void): void;
    emit(event: string, text: string): void;
    origins(allowed: readonly string[]): void;
    close(): void;
  }

  export default function createSocketIo(server: Server, options: { path: string }): SocketIo;
}
