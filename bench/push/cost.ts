import { readdirSync, readFileSync } from 'node:fs';

/** A process and all that it has started, and that has not ended. */
function treeOf(root: number): number[] {
  const children = new Map<number, number[]>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const parent = Number(read(`/proc/${name}/stat`)?.split(') ').at(-1)?.split(' ')[1]);
    children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
  }
  const tree = [root];
  for (const pid of tree) tree.push(...(children.get(pid) ?? []));
  return tree;
}

/** CPU time that a server has used so far, in milliseconds: all its processes and threads. */
export function cpuMsOf(root: number): number {
  return cpuMsOfEach(root).reduce((sum, ms) => sum + ms, 0);
}

/** The same for each of its processes, the first one first. */
export function cpuMsOfEach(root: number): number[] {
  return treeOf(root).map((pid) => {
    let threads: string[] = [];
    try {
      threads = readdirSync(`/proc/${pid}/task`);
    } catch {
      // It has ended just now.
    }
    const times = threads.map((thread) => threadCpuMs(`/proc/${pid}/task/${thread}`));
    return times.reduce((sum, ms) => sum + ms, 0);
  });
}

/** Nanoseconds where the kernel tells them, else ticks of ten milliseconds. */
function threadCpuMs(thread: string): number {
  const exact = read(`${thread}/schedstat`)?.split(' ')[0];
  if (exact !== undefined) return Number(exact) / 1e6;
  const fields = read(`${thread}/stat`)?.split(') ').at(-1)?.split(' ') ?? [];
  return (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) * 10;
}

/** Memory that a server has, in bytes: shared pages of its processes count as often as they have them. */
export function memoryOf(root: number): number {
  const kilobytes = treeOf(root).map((pid) =>
    Number(/^VmRSS:\s+(\d+)/m.exec(read(`/proc/${pid}/status`) ?? '')?.[1] ?? 0),
  );
  return kilobytes.reduce((sum, value) => sum + value, 0) * 1_024;
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return undefined;
  }
}
