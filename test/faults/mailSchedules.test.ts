/** Mail that is dropped, doubled, delayed, reordered, refused and crashed upon: nothing is lost and nothing happens twice. */
import assert from 'node:assert/strict';
import type { SquadEvent } from '../../src/domain/events.ts';
import { LoopedAgent } from '../support/loopedAgent.ts';
import { MailWorld } from '../support/mailWorld.ts';
import { SeededRandom } from '../support/seededRandom.ts';
import { seedsOf } from './seeds.ts';

const MESSAGES = 10_000;
const replay = (seed: number): string =>
  `play it again with: DEVSQUAD_SEED=${seed} npm run test:unit -- --grep "mail,"`;

describe('mail, whatever happens to it', () => {
  const { seeds, first } = seedsOf('DEVSQUAD_MAIL_SCHEDULES', 1);

  it(`has its effect once for each of ${MESSAGES} messages, ${seeds.length} times from seed ${first}`, async () => {
    for (const seed of seeds) {
      // Every other world has small inboxes, in which mail is put together.
      const world = new MailWorld(seed, MESSAGES, seed % 2 === 0 ? 20 : Infinity);
      await world.play();
      assert.ok(world.crashes > 10, replay(seed));
      checkEffects(world.ledger.log.events, replay(seed));
    }
  }).timeout(60_000 * seeds.length);

  it(`reaches its agent before it begins another call, 100 times from seed ${first}`, async () => {
    for (let seed = first; seed < first + 100; seed++) {
      await checkLatency(seed);
    }
  }).timeout(60_000);
});

/** Each message was sent once; it was taken in once, by itself or in one put together, or is a dead letter. */
function checkEffects(events: readonly SquadEvent[], hint: string): void {
  const sent = new Set<string>();
  const effects = new Map<string, number>();
  const parts = new Map<string, readonly string[]>();
  const count = (id: string): void => {
    const inside = parts.get(id);
    if (inside) {
      inside.forEach(count);
    } else {
      effects.set(id, (effects.get(id) ?? 0) + 1);
    }
  };
  for (const event of events) {
    if (event.type === 'message-sent') {
      assert.ok(!sent.has(event.message.id), `${event.message.id} was sent twice; ${hint}`);
      sent.add(event.message.id);
      if (event.message.compacts) {
        parts.set(event.message.id, event.message.compacts);
      }
    } else if (event.type === 'conversation-noted' && event.messageId !== undefined) {
      count(event.messageId);
    } else if (event.type === 'message-failed') {
      assert.equal(event.cause, 'refused', hint);
      count(event.messageId);
    }
  }
  for (let index = 0; index < MESSAGES; index++) {
    assert.equal(
      effects.get(`m${index}`),
      1,
      `the effect of m${index} happened ${effects.get(`m${index}`) ?? 0} times; ${hint}`,
    );
  }
}

/** An agent whose answers have many calls gets mail at any moment: none is begun between a message and its being read. */
async function checkLatency(seed: number): Promise<void> {
  const random = new SeededRandom(seed);
  const sentAt = new Map<string, number>();
  const post = async (): Promise<void> => {
    const id = `m${sentAt.size}`;
    // The call under way counts as begun.
    sentAt.set(id, agent.steps.length);
    await agent.communication.post({
      id,
      runId: 'run-1',
      sender: { kind: 'person', id: 'you' },
      receiverIds: ['agent-1'],
      type: 'coordination',
      content: { kind: 'text', text: `This is ${id}.` },
      priority: random.between(1, 5),
    });
  };
  let answers = 0;
  const readAt = new Map<string, number>();
  const agent: LoopedAgent = new LoopedAgent(
    (conversation) => {
      for (const { role, text } of conversation) {
        const [, id] = /This is (m\d+)\./.exec(text) ?? [];
        if (role === 'user' && id !== undefined && !readAt.has(id)) {
          readAt.set(id, agent.steps.length);
        }
      }
      answers++;
      return answers < 12 ? Array.from({ length: random.between(1, 6) }, (_, index) => `s${answers}.${index}`) : [];
    },
    async () => {
      for (let more = random.chance(0.4) ? random.between(1, 3) : 0; more > 0; more--) {
        await post();
      }
    },
  );
  await post();
  await agent.work();
  for (const [id, at] of sentAt) {
    assert.equal(
      readAt.get(id),
      at,
      `${id} was sent during call ${at} and read after call ${readAt.get(id) ?? '–'}; ${replay(seed)}`,
    );
  }
}
