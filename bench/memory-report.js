// Loaded into a program under measurement: on SIGUSR2 it says what it holds, garbage left out.
process.on('SIGUSR2', () => {
  globalThis.gc();
  globalThis.gc();
  const { heapUsed, external, rss } = process.memoryUsage();
  console.log(`memory ${JSON.stringify({ held: heapUsed + external, rss })}`);
});
