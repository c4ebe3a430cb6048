import type { Client } from './transport/clients.ts';
import { testEvents } from './transport/events.ts';
import { testGzip } from './transport/gzip.ts';
import { testPace } from './transport/pace.ts';
import { testPatches } from './transport/patches.ts';
import { testTexts } from './transport/texts.ts';
import { testWords } from './transport/words.ts';

/**
 * What every transport must do, over real sockets through the whole proxy. Where one need not, the
 * rule says why.
 */
export function testTransport(client: Client): void {
  testEvents(client);
  testWords(client);
  testPace(client);
  testTexts(client);
  testPatches(client);
  testGzip(client);
}
