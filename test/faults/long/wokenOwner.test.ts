import assert from 'node:assert/strict';
import { readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { seeded } from '../killedRun.ts';
import { seedsOf } from '../seeds.ts';
import { Sandbox } from '../../support/headless.ts';

describe('an owner that is stopped, taken over from, and wakes', () => {
  const { seeds, first } = seedsOf('DEVSQUAD_WAKES', 20);

  it(`says of nothing more that it happened, stopped at ${seeds.length} random moments from seed ${first}`, async () => {
    const told: string[] = [];
    for (const seed of seeds) {
      told.push(...(await toldAfterwards(seed)));
    }
    // A line that was between the last look and the pipe when it was stopped cannot be taken back.
    assert.ok(told.length <= 1, told.join('\n'));
  }).timeout(seeds.length * 60_000);
});

async function toldAfterwards(seed: number): Promise<string[]> {
  const replay = `replay with: DEVSQUAD_SEED=${seed} npm run test:long -- --grep wakes`;
  const random = seeded(seed);
  const sandbox = new Sandbox();
  try {
    sandbox.commitAll();
    const started = sandbox.rehearse();
    let told = '';
    started.process.stdout?.on('data', (text: string) => (told += text));
    await started.printed(5 + Math.floor(random() * 120));
    await wait(random() * 30);
    started.process.kill('SIGSTOP');
    // What it had written before is heard.
    await wait(200);
    const before = told;
    const owners = path.join(sandbox.home, '.devsquad', 'owners');
    const [squad = ''] = readdirSync(owners);
    writeFileSync(path.join(owners, squad, 'epoch.2'), '{}');
    started.process.kill('SIGCONT');
    const { exitCode, stderr } = await started.finished;
    assert.equal(exitCode, 5, `${replay}\n${stderr}`);
    const more = told.slice(before.length);
    return more === '' ? [] : [`${replay}\n${more}`];
  } finally {
    sandbox.dispose();
  }
}
