/** What each verb of the terminal program does; each answers the exit code. */
import { assertNever } from '../base/assertNever.ts';
import { describeSubject } from '../domain/approval.ts';
import { HumanError, StorageError, UsageError } from '../domain/errors.ts';
import { isUnfinished, type RunOptions } from '../domain/run.ts';
import { openRequests, type RunView, type SquadView } from '../domain/squadState.ts';
import { isHeld } from '../domain/task.ts';
import { readState } from '../ledger/history.ts';
import { registeredOwner } from '../ledger/ownerRecords.ts';
import { askOwner } from '../ledger/ownership.ts';
import { squadHome } from '../host/home.ts';
import { ownerFolder } from '../ledger/squadHome.ts';
import type { Logger } from '../ports.ts';
import type { CommandLine } from './commandLine.ts';
import { HostModels } from '../host/models.ts';
import { checkWorkspace, findStorage, openSquad, type HostOptions, type OpenSquad } from '../host/openSquad.ts';
import { EventOutput } from './eventOutput.ts';
import { aboutSilentOwner, parseAnswer, promptForAnswers } from './terminalPrompt.ts';
import { TerminalView } from './terminalView.ts';

/** The worst of several runs decides. */
const EXIT_ORDER: readonly number[] = [5, 1, 4, 3, 0];

export async function perform(command: CommandLine, media: string): Promise<number> {
  const interrupt = new AbortController();
  switch (command.verb) {
    case 'run':
      return work(command, media, interrupt, async (squad) => {
        const { maxAgents, budget, approve, atEnd } = command;
        const { objective, model } = await chooseWork(command, media);
        return [await squad.runs.start(objective, { model, maxAgents, budget, approve: [...approve], atEnd })];
      });
    case 'resume':
      return work(command, media, interrupt, (squad) => Promise.resolve(squad.runs.resumeAll('terminal')));
    case 'status':
      return showStatus(command, interrupt.signal);
    case 'inbox':
      return showInbox(command, interrupt.signal);
    case 'answer':
      return answer(command, media, interrupt.signal);
    case 'stop':
      return stop(command, interrupt.signal);
  }
}

/** What to do and with which model; a rehearsal brings its objective, any other model needs one. */
async function chooseWork(
  command: CommandLine,
  media: string,
): Promise<{ objective: string; model: RunOptions['model'] }> {
  const [objective] = command.words;
  if (command.model.door === 'rehearsal') {
    const { name, objective: known } = await modelsOf(media).rehearsalFor(objective);
    return { objective: known, model: { door: 'rehearsal', name } };
  }
  if (objective === undefined || objective.trim() === '') {
    throw new UsageError('Say what the team should do: devsquad run "<objective>" --workspace DIR.');
  }
  return { objective, model: command.model };
}

/** Opens the squad, begins what `begin` says, and stays until all is over, stopped, or only a person is missing. */
async function work(
  command: CommandLine,
  media: string,
  interrupt: AbortController,
  begin: (squad: OpenSquad) => Promise<string[]>,
): Promise<number> {
  if (command.verb === 'run') {
    await chooseWork(command, media);
  }
  const squad = await openSquad(hostOptions(command, media), interrupt.signal);
  const attended = process.stdin.isTTY && !command.json;
  const view =
    process.stderr.isTTY && !command.json ? new TerminalView(process.stderr, () => squad.ledger.state) : undefined;
  const output = new EventOutput(squad, command.json, view);
  const failed = new Promise<never>((_, reject) => {
    squad.ledger.onDidFail((error) => {
      reject(error);
    });
  });
  const onInterrupt = (): void => {
    if (interrupt.signal.aborted) {
      process.exit(130);
    }
    interrupt.abort();
    void squad.runs.stopAll('terminal');
  };
  process.on('SIGINT', onInterrupt);
  process.on('SIGTERM', onInterrupt);
  try {
    const runIds = await begin(squad);
    const personMissing = attended ? promptForAnswers(squad, view) : nobodyThere(squad);
    await Promise.race([squad.runs.idle(), personMissing, failed]);
    const code = exitCodeOf(squad.ledger.state, runIds);
    await squad.runs.release();
    await output.finish();
    return code;
  } finally {
    process.off('SIGINT', onInterrupt);
    process.off('SIGTERM', onInterrupt);
    await squad.dispose();
  }
}

/** Resolves when every unfinished run can only go on with a person's answer. */
function nobodyThere(squad: OpenSquad): Promise<void> {
  return new Promise((resolve) => {
    const look = (): void => {
      const runs = Object.values(squad.ledger.state.runs).filter((run) => isUnfinished(run) && !run.stopped);
      if (runs.length > 0 && runs.every((run) => onlyWaits(run))) {
        listening.dispose();
        resolve();
      }
    };
    // Looked at once the turn is over: the run's own policy may answer in the same one.
    const listening = squad.ledger.onDidAppend(() => setImmediate(look));
    look();
  });
}

function onlyWaits(run: RunView): boolean {
  const tasks = Object.values(run.tasks);
  const begun = tasks.filter(({ phase, agentId }) => isHeld(phase) || (phase === 'ready' && agentId !== undefined));
  return openRequests(run).length > 0 && begun.every(({ phase }) => phase === 'waiting_for_person');
}

function exitCodeOf(state: SquadView, runIds: readonly string[]): number {
  const codes = runIds.map((id): number => {
    const run = state.runs[id];
    if (!run) {
      return 1;
    }
    switch (run.status) {
      case undefined:
        return !run.stopped && openRequests(run).length > 0 ? 3 : 1;
      case 'succeeded':
        return 0;
      case 'budget-reached':
        return 4;
      case 'failed':
      case 'stopped':
        return 1;
      default:
        return assertNever(run.status);
    }
  });
  return EXIT_ORDER.find((code) => codes.includes(code)) ?? 0;
}

/** The living owner's state, or what is on disk when nobody owns it. */
async function look(command: CommandLine, signal: AbortSignal): Promise<SquadView> {
  const workspace = await checkWorkspace(command.workspace);
  const owner = await registeredOwner(ownerFolder(squadHome(), workspace));
  const reply = owner ? await askOwner(owner, { type: 'status' }, signal) : undefined;
  if (isStatus(reply)) {
    return reply.state;
  }
  return await readState(await findStorage(workspace, command, signal));
}

/** The owner is the same program and user, shown by the token; its state is taken as it comes. */
function isStatus(reply: unknown): reply is { state: SquadView } {
  return typeof reply === 'object' && reply !== null && 'state' in reply;
}

async function showStatus(command: CommandLine, signal: AbortSignal): Promise<number> {
  const state = await look(command, signal);
  if (command.json) {
    process.stdout.write(`${JSON.stringify(state)}\n`);
    return 0;
  }
  const runs = Object.values(state.runs);
  for (const run of runs) {
    process.stdout.write(
      `${run.id}  ${run.stopped ? 'stopped' : (run.status ?? run.phase)}  ${run.objective}  (${run.account.usedTokens} tokens)\n`,
    );
    for (const task of Object.values(run.tasks)) {
      process.stdout.write(`    ${task.phase.padEnd(18)} ${task.key}  ${task.title}  ${task.agentId ?? ''}\n`);
    }
  }
  process.stdout.write(runs.length === 0 ? 'No runs in this workspace yet.\n' : '');
  return 0;
}

async function showInbox(command: CommandLine, signal: AbortSignal): Promise<number> {
  const requests = Object.values((await look(command, signal)).runs).flatMap((run) => openRequests(run));
  for (const request of requests) {
    process.stdout.write(
      command.json ? `${JSON.stringify(request)}\n` : `${request.id}  ${describeSubject(request.subject)}\n`,
    );
  }
  if (requests.length === 0 && !command.json) {
    process.stdout.write('Nothing waits for you.\n');
  }
  return 0;
}

async function answer(command: CommandLine, media: string, signal: AbortSignal): Promise<number> {
  const [id, text] = command.words;
  if (id === undefined || text === undefined) {
    throw new HumanError('Say what to answer: devsquad answer ID allow|deny|TEXT.');
  }
  if (!process.stdin.isTTY) {
    throw new HumanError('Answers are taken from a person at a terminal only.');
  }
  const squad = await openSquad(hostOptions(command, media), signal);
  try {
    const kind =
      Object.values(squad.ledger.state.runs)
        .map((run) => run.requests[id]?.subject.kind)
        .find(Boolean) ?? '';
    await squad.inbox.answer(id, parseAnswer(text, kind), 'terminal');
    process.stderr.write('Answered. "devsquad resume" goes on.\n');
    return 0;
  } finally {
    await squad.dispose();
  }
}

async function stop(command: CommandLine, signal: AbortSignal): Promise<number> {
  const owner = await registeredOwner(ownerFolder(squadHome(), await checkWorkspace(command.workspace)));
  const reply = owner ? await askOwner(owner, { type: 'stop' }, signal) : undefined;
  if (reply === undefined) {
    throw new StorageError('No squad runs on this workspace.');
  }
  process.stderr.write('Stopped. "devsquad resume" goes on where it was.\n');
  return 0;
}

function hostOptions({ workspace, storage }: CommandLine, media: string): HostOptions {
  const models = modelsOf(media);
  return {
    workspace,
    ...(storage === undefined ? {} : { storage }),
    logger: stderrLogger,
    models,
    host: 'terminal',
    ...(process.stdin.isTTY ? { aboutSilentOwner } : {}),
  };
}

function modelsOf(media: string): HostModels {
  return new HostModels({ media, apiKey: () => Promise.resolve(process.env['OPENAI_API_KEY']) });
}

const stderrLogger: Logger = {
  info: () => undefined,
  warn: (message) => process.stderr.write(`${message}\n`),
  error: (message) => process.stderr.write(`${message}\n`),
};
