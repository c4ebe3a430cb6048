// Loaded into a proxy under measurement: on SIGUSR2 it says when it has made polls so far, also those
// that could not reach anybody. In ms since the epoch.
import { subscribe } from 'node:diagnostics_channel';

const madeAt = [];
subscribe('undici:request:create', () => madeAt.push(Date.now()));
process.on('SIGUSR2', () => console.log(`polls ${JSON.stringify(madeAt)}`));
