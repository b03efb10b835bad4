/** Whole runs in simulated time, with kills, failing models, files and tools, and a person who comes and goes. */
import assert from 'node:assert/strict';
import type { SquadEvent } from '../../src/domain/events.ts';
import { replayRun } from '../../src/replay/replay.ts';
import { checkProjection } from '../support/checkTables.ts';
import { delegatingTeam, parallelTeam } from '../support/simulation/simulatedTeam.ts';
import { NO_FAULTS, simulate, type Simulated } from '../support/simulation/simulation.ts';

const never = new AbortController().signal;

describe('a simulated run', () => {
  const given = process.env['DEVSQUAD_SEED'];
  const many = process.env['DEVSQUAD_SIMULATIONS'];
  // The same ones each time, so that they tell of what was changed; the long tests look for new ones.
  const first = given !== undefined ? Number(given) : many === undefined ? 1 : Math.floor(Math.random() * 1_000_000);
  const count = Number(many ?? (given === undefined ? 25 : 1));

  it(`ends with every promise kept, in rows that say what the state says, and is replayed to the same hash, ${count} times from seed ${first}`, async () => {
    for (let seed = first; seed < first + count; seed++) {
      await tryOut(seed).catch((cause: unknown) => {
        const again = `DEVSQUAD_SEED=${seed} npm run test:unit -- --grep simulated`;
        throw new Error(`Seed ${seed} breaks a promise; play it again with: ${again}`, { cause });
      });
    }
  }).timeout(20_000 + count * 1000);

  for (const [story, team] of Object.entries({
    'three edits at once': parallelTeam(),
    'a failing part': delegatingTeam(),
  })) {
    it(`with ${story} ends in the same tree, killed after whichever event`, async () => {
      const whole = await simulate(1, { team, faults: NO_FAULTS, calm: true });
      const step = Number(process.env['DEVSQUAD_BOUNDARY_STEP'] ?? 5);
      for (let killAfter = 1 + (first % step); killAfter < whole.events.length; killAfter += step) {
        const killed = await simulate(1, { team, faults: { ...NO_FAULTS, killAfter: [killAfter] }, calm: true });
        assert.equal(killed.run.integration?.tree, whole.run.integration?.tree, `killed after event ${killAfter}`);
        assert.equal(killed.run.status, whole.run.status, `killed after event ${killAfter}`);
        assert.ok((await replayRun(killed.events, killed.runId, never)).equal, `killed after event ${killAfter}`);
      }
    }).timeout(300_000);
  }

  it('is not equal to its replay when the record says that the squad decided otherwise', async () => {
    const simulated = await simulate(7);
    const changed = structuredClone(simulated.events) as SquadEvent[];
    const delegated = changed.find(({ type }) => type === 'task-delegated');
    assert.ok(delegated?.type === 'task-delegated');
    delegated.agentId = 'somebody-else';
    const { equal, difference } = await replayRun(changed, simulated.runId, never);
    assert.equal(equal, false);
    assert.equal(difference?.sequence, delegated.sequence);
  });

  it('is not played again when another version wrote it', async () => {
    const { events, runId } = await simulate(7);
    const older = events.map((event) => Object.assign(structuredClone(event), { version: 0 as 1 }));
    const result = await replayRun(older, runId, never);
    assert.deepEqual(result, { runId, comparable: false, equal: false });
  });
});

async function tryOut(seed: number): Promise<Simulated> {
  const simulated = await simulate(seed);
  await checkProjection(simulated.events);
  const { equal, difference } = await replayRun(simulated.events, simulated.runId, never);
  assert.ok(equal, `the replay differs: ${JSON.stringify(difference)}`);
  return simulated;
}
