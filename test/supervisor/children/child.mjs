/*
 * A process under a supervisor. Its settings say what it does: `ready`, then nothing by itself;
 * `failed`: it says why it cannot begin, and ends; `silent`: it never gets ready; `crash`: it ends
 * without a word. When it is let drain it ends, with `stubborn` it does not.
 */
let isStubborn = false;

process.on('disconnect', () => process.exit(1));
process.on('message', (message) => {
  if (message.kind === 'start') begin(message);
  if (message.kind === 'reload') process.exit(7);
  if (message.kind === 'drain' && !isStubborn) process.exit(0);
});
process.send({ kind: 'up' });

function begin({ name, settings }) {
  isStubborn = settings.isStubborn === true;
  if (settings.does === 'crash') process.exit(3);
  if (settings.does === 'silent') return;
  if (settings.does === 'failed') {
    process.send({ kind: 'failed', why: 'the address is in use' }, () => process.exit(69));
    return;
  }
  process.send({ kind: 'ready', urls: [`http://${name}/${settings.token}`] });
}
