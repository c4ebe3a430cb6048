import { BARE_WS } from '../contract/transport/clients.ts';
import { testTransport } from '../contract/transport.ts';

testTransport(BARE_WS);
