import { CLIENTS } from '../contract/transport/clients.ts';
import { testTransport } from '../contract/transport.ts';

testTransport(CLIENTS.multipart);
