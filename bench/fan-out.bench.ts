import type { Goal } from './figures.ts';
import { median, printGoals, printTable, quantile } from './figures.ts';
import type { Contender, Outcome } from './push/contender.ts';
import { C_FLOOR } from './push/floors.ts';
import { hasRoomFor, versions } from './push/machine.ts';
import { measure } from './push/measure.ts';
import type { Scenario } from './push/scenarios.ts';
import { scenarios } from './push/scenarios.ts';

/*
 * What it costs to push one change to everybody: CPU of the server for each delivered message, and
 * when the last subscriber has it. What is pushed says when it was made: in answer to a poll for the
 * proxy, just before the request that publishes it for peers. Contenders take turns, and medians
 * count: time on the wall says what the machine is doing besides, CPU is read from the processes.
 *
 * `npm run bench fan-out` is what the goals are about, `npm run bench fan-out all` everything, and
 * any other word the scenarios whose title has it.
 */
export async function run([wanted]: readonly string[] = []): Promise<void> {
  console.log(versions());
  const left = new Set<string>();
  const goals: Goal[] = [];
  for (const scenario of scenarios(wanted)) {
    if (!hasRoomFor(scenario.load.subscribers)) continue;
    const contenders = scenario.contenders.filter(({ objection }) => {
      if (objection !== undefined && !left.has(objection)) console.log(objection);
      if (objection !== undefined) left.add(objection);
      return objection === undefined;
    });
    const outcomes = await takeTurns(scenario, contenders);
    print(scenario, outcomes);
    const cpu = (name: string, than: string) =>
      median(ratiosOf(outcomes.get(name), outcomes.get(than)));
    const last = (name: string) =>
      median(outcomes.get(name)?.flatMap(({ lastMs }) => lastMs) ?? []);
    goals.push(...scenario.goals({ cpu, last }));
  }
  printGoals(goals.filter((goal) => Number.isFinite(goal.value) && Number.isFinite(goal.limit)));
}

async function takeTurns(
  { load, seconds, rounds }: Scenario,
  contenders: readonly Contender[],
): Promise<Map<string, Outcome[]>> {
  const outcomes = new Map<string, Outcome[]>(contenders.map(({ name }) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (const contender of contenders) {
      try {
        outcomes.get(contender.name)?.push(await measure(contender, load, seconds * 1_000));
      } catch (error) {
        console.log(String(error));
        process.exitCode = 1;
      }
    }
  }
  return outcomes;
}

function print({ title, rounds }: Scenario, outcomes: ReadonlyMap<string, Outcome[]>): void {
  console.log(`\n${title}; median of ${rounds}`);
  const titles = ['us/message', 'ratio', 'last p50', 'p99 ms', 'complete'];
  const rows = [...outcomes].map(([name, turns]): [string, string[]] => {
    const cpu = median(turns.map(({ cpuMicroseconds }) => cpuMicroseconds));
    const ratio = median(ratiosOf(turns, outcomes.get(C_FLOOR.name)));
    const last = turns.flatMap(({ lastMs }) => lastMs);
    const complete = Math.min(...turns.map((turn) => turn.complete));
    const cells = [
      cpu.toFixed(1),
      Number.isFinite(ratio) ? ratio.toFixed(2) : '-',
      median(last).toFixed(1),
      quantile(last, 0.99).toFixed(1),
      `${(complete * 100).toFixed(1)} %`,
    ];
    return [name, cells];
  });
  printTable(titles, rows, { name: 40, cell: 12 });
}

/** Of CPU, turn by turn: what the machine does besides is alike in one round. */
function ratiosOf(turns: readonly Outcome[] = [], than: readonly Outcome[] = []): number[] {
  return turns.map(
    ({ cpuMicroseconds }, index) => cpuMicroseconds / (than[index]?.cpuMicroseconds ?? Number.NaN),
  );
}
