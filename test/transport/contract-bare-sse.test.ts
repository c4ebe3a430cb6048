import { BARE_SSE } from '../contract/transport/clients.ts';
import { testTransport } from '../contract/transport.ts';

testTransport(BARE_SSE);
