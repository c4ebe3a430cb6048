import { execFileSync, spawnSync } from 'node:child_process';
import { compiled } from './native.ts';

/** The versions of what is compared, in one line. */
export function versions(): string {
  const first = (program: string, args: string[]) => {
    const { stdout, stderr } = spawnSync(program, args, { encoding: 'utf8' });
    return `${stdout ?? ''}${stderr ?? ''}`.split('\n')[0]?.trim() ?? '';
  };
  const client = compiled('client') ? first('cc', ['--version']) : 'no C compiler';
  const peers = [
    first('nginx', ['-v']),
    first('pushpin', ['--version']),
    debianVersion('libnginx-mod-nchan'),
  ];
  return [client, ...peers].filter((text) => text !== '').join('; ');
}

function debianVersion(name: string): string {
  const { stdout } = spawnSync('dpkg-query', ['-W', name], { encoding: 'utf8' });
  return (stdout ?? '').trim().replace('\t', ' ');
}

/** Files that a process may have open besides its connections. */
const OTHER_FILES = 200;

/** May a process here have so many connections? Says so when it may not. */
export function hasRoomFor(connections: number): boolean {
  const limit = Number(execFileSync('sh', ['-c', 'ulimit -Hn'], { encoding: 'utf8' }));
  const wanted = connections + OTHER_FILES;
  if (!(limit < wanted)) return true;
  console.log(
    `${connections} subscribers are left out: they need "ulimit -Hn" of ${wanted}, here it is ${limit}`,
  );
  return false;
}
