#!/usr/bin/env node
import { setFlagsFromString } from 'node:v8';
import { main } from '../dist/cli.js';

// V8 would learn to put what lives for one request among the long-lived objects, and with it all that
// it refers to: a quarter of the CPU of a busy pass-through went into collecting them.
setFlagsFromString('--no-allocation-site-pretenuring');

process.exitCode = await main(process.argv.slice(2));
