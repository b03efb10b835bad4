/** Whole runs in simulated time, with kills, failing models, files and tools, and a person who comes and goes. */
import { simulate } from '../support/simulation/simulation.ts';

describe('a simulated run', () => {
  const given = process.env['DEVSQUAD_SEED'];
  const first = given === undefined ? Math.floor(Math.random() * 1_000_000) : Number(given);
  const count = Number(process.env['DEVSQUAD_SIMULATIONS'] ?? (given === undefined ? 60 : 1));

  it(`ends with every promise kept, ${count} times from seed ${first}`, async () => {
    for (let seed = first; seed < first + count; seed++) {
      await simulate(seed).catch((cause: unknown) => {
        const replay = `DEVSQUAD_SEED=${seed} npm run test:unit -- --grep simulated`;
        throw new Error(`Seed ${seed} breaks a promise; play it again with: ${replay}`, { cause });
      });
    }
  }).timeout(20_000 + count * 1000);
});
