import type { TestContext } from 'node:test';
import { checkConfig } from '../../src/config/load.ts';
import type { RunningProxy } from '../../src/main.ts';
import { startProxy } from '../../src/main.ts';
import type { Clock } from '../../src/shared/clock.ts';
import type { Logger } from '../../src/shared/logger.ts';

/** One line that the proxy logged. */
export interface LogLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly fields: Record<string, unknown>;
  readonly message: string;
}

/** A log that keeps its lines. */
export function recordingLog(): { log: Logger; lines: LogLine[] } {
  const lines: LogLine[] = [];
  const at = (level: LogLine['level']) => (fields: object, message: string) => {
    lines.push({ level, fields: fields as Record<string, unknown>, message });
  };
  const log: Logger = {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
  };
  return { log, lines };
}

/** A proxy under test, on a free port of the loopback. */
export interface TestProxy extends RunningProxy {
  readonly url: string;
  readonly port: number;
  readonly lines: LogLine[];
}

/** Start a proxy with this config (as it would stand in a file); closed when the test ends. */
export async function startTestProxy(
  t: TestContext,
  config: Record<string, unknown>,
  clock?: Clock,
): Promise<TestProxy> {
  const { log, lines } = recordingLog();
  const complete = checkConfig({ listen: '127.0.0.1:0', ...config }, 'test');
  const proxy = await startProxy(complete, { log, ...(clock ? { clock } : {}) });
  t.after(() => proxy.close());
  const url = proxy.urls[0] ?? '';
  return Object.assign(proxy, { url, port: Number(new URL(url).port), lines });
}
