/** Answers what other processes ask the owner over its socket. Anybody of this user may stop; more needs the token. */
import { HumanError } from '../domain/errors.ts';
import type { Inbox } from '../inbox/inbox.ts';
import type { Ledger } from '../ports.ts';
import { processRequestSchema } from '../protocol/messages.ts';
import type { RunService } from '../services/runService.ts';
import type { TeamControls } from '../services/teamControls.ts';

export interface RunningSquad {
  readonly ledger: Ledger;
  readonly inbox: Inbox;
  readonly runs: RunService;
  readonly team: TeamControls;
}

export async function answerProcess(squad: RunningSquad, value: unknown, trusted: boolean): Promise<object> {
  const request = processRequestSchema.parse(value);
  switch (request.type) {
    case 'stop':
      return { type: 'stopped', runs: await squad.runs.stopAll('terminal') };
    case 'status':
      if (!trusted) {
        throw new HumanError('Show the token to see the status.');
      }
      return { type: 'status', state: squad.ledger.state, health: squad.team.health() };
  }
}
