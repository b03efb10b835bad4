/** What each verb of the terminal program does; each answers the exit code. */
import { visibleText } from '../base/visibleText.ts';
import { describeSubject } from '../domain/approval.ts';
import { forecastWords } from '../domain/forecast.ts';
import { describeRule } from '../domain/grants.ts';
import { describeCost } from '../domain/budget.ts';
import { dayOf } from '../domain/envelopes.ts';
import { agentNotes, describeHealth, type HealthStatus } from '../domain/health.ts';
import { HumanError, StorageError, UsageError } from '../domain/errors.ts';
import { capsOf, costWords, namesOfAskers, waitingGroups } from '../domain/phaseWords.ts';
import type { OwnerRecord } from '../domain/owner.ts';
import { choicesOf, requirePrices, type RunOptions } from '../domain/run.ts';
import type { SquadView } from '../domain/squadState.ts';
import { enterSquad } from '../host/enterSquad.ts';
import { systemClock } from '../host/clock.ts';
import { squadHome } from '../host/home.ts';
import { HostModels } from '../host/models.ts';
import { pricesFor } from '../host/prices.ts';
import { checkWorkspace, findStorage, type HostOptions } from '../host/openSquad.ts';
import { readWorkspacePolicy } from '../host/workspacePolicy.ts';
import { readServers, SERVERS_FILE } from '../integrations/mcpFile.ts';
import { readState } from '../ledger/history.ts';
import { registeredOwner } from '../ledger/ownerRecords.ts';
import { askOwner } from '../ledger/ownership.ts';
import { ownerFolder } from '../ledger/squadHome.ts';
import type { Logger } from '../ports.ts';
import type { McpServer } from '../domain/mcpServer.ts';
import type { CommandLine } from './commandLine.ts';
import { jsonLine } from './jsonLine.ts';
import { judge } from './judgeVerb.ts';
import { replay } from './replayVerb.ts';
import { aboutSilentOwner, alsoFor, parseAnswer, promptFor, tellRequest } from './terminalPrompt.ts';
import { workAtTerminal } from './work.ts';

/** When the signal is aborted, runs stop and everything else ends as soon as it can, with what it had to say or the signal's reason. */
export async function perform(command: CommandLine, media: string, signal: AbortSignal): Promise<number> {
  const { json } = command;
  const options = hostOptions(command, media);
  switch (command.verb) {
    case 'run': {
      const { objective, model } = await chooseWork(command, media);
      const {
        roleModels,
        fallback,
        maxAgents,
        budget,
        envelopes,
        limits,
        approve,
        allowedCommands,
        allowedHosts,
        requestMinutes,
        atEnd,
      } = command;
      const folder = await checkWorkspace(command.workspace);
      const workspacePolicy = await readWorkspacePolicy(folder);
      const mcpServers = await serversOf(folder, command);
      const runOptions: RunOptions = {
        model,
        ...(roleModels ? { roleModels } : {}),
        ...(fallback ? { fallback } : {}),
        maxAgents,
        budget,
        ...(envelopes ? { envelopes } : {}),
        prices: await pricesFor(choicesOf({ model, roleModels, fallback }), { media }),
        limits,
        ...(requestMinutes === undefined ? {} : { requestMinutes }),
        approve: [...approve],
        ...(allowedCommands.length > 0 ? { allowedCommands: [...allowedCommands] } : {}),
        ...(workspacePolicy ? { workspacePolicy } : {}),
        ...(allowedHosts.length > 0 ? { allowedHosts: [...allowedHosts] } : {}),
        ...(mcpServers.length > 0 ? { mcpServers } : {}),
        atEnd,
        ...(process.stdin.isTTY && !json ? { asksToRaise: true } : {}),
      };
      // Before anything is opened that would be in vain.
      requirePrices(runOptions);
      return workAtTerminal({
        options,
        json,
        signal,
        begin: async ({ runs }) => [await runs.start(objective, runOptions)],
      });
    }
    case 'resume':
      return workAtTerminal({ options, json, signal, begin: async ({ runs }) => runs.resumeAll('terminal') });
    case 'status':
      return showStatus(command, signal);
    case 'inbox':
      return showInbox(command, signal);
    case 'answer':
      return answer(command, options, signal);
    case 'rules':
      return rules(command, options, signal);
    case 'stop':
      return stop(command, signal);
    case 'judge':
      return judge(command);
    case 'replay':
      return replay(command, signal);
  }
}

/** Those that were named, each of which the workspace must define. */
async function serversOf(folder: string, { mcpServers: named }: CommandLine): Promise<McpServer[]> {
  const servers = await readServers(folder, named);
  const absent = named.filter((entry) => !servers.some(({ name }) => name === entry.split(':')[0]));
  if (absent.length > 0) {
    throw new UsageError(`${SERVERS_FILE} of this workspace has no server ${absent.join(', ')}.`);
  }
  return servers;
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

/** The living owner's state, or what is on disk when nobody owns it. */
async function look(command: CommandLine, signal: AbortSignal): Promise<Looked> {
  const owner = await ownerOf(command, signal);
  const reply = owner ? await askOwner(owner, { type: 'status' }, signal) : undefined;
  if (isStatus(reply)) {
    return reply;
  }
  const workspace = await checkWorkspace(command.workspace);
  return { state: await readState(await findStorage(workspace, command, signal)) };
}

/** Health is known only where an owner is. */
interface Looked {
  readonly state: SquadView;
  readonly health?: readonly HealthStatus[];
}

/** The owner is the same program and user, shown by the token; its state is taken as it comes. */
function isStatus(reply: unknown): reply is Looked {
  return typeof reply === 'object' && reply !== null && 'state' in reply;
}

async function showStatus(command: CommandLine, signal: AbortSignal): Promise<number> {
  const { state, health = [] } = await look(command, signal);
  if (command.json) {
    process.stdout.write(jsonLine({ ...state, health }));
    return 0;
  }
  const runs = Object.values(state.runs);
  for (const run of runs) {
    process.stdout.write(
      `${run.id}  ${run.stopped ? 'stopped' : (run.status ?? run.phase)}  ${oneLine(run.objective)}  (${costWords(run)}${capsOf(run) === '' ? '' : `, of ${capsOf(run)}`})\n`,
    );
    const forecast = forecastWords(state, run);
    process.stdout.write(forecast === undefined ? '' : `    will come to ${forecast}\n`);
    for (const task of Object.values(run.tasks)) {
      process.stdout.write(`    ${task.phase.padEnd(18)} ${task.key}  ${oneLine(task.title)}  ${task.agentId ?? ''}\n`);
    }
  }
  for (const agent of Object.values(state.standing.agents)) {
    const known = health.find(({ agentId }) => agentId === agent.id);
    const words = known
      ? describeHealth(known, systemClock.now())
      : [agent.status, agentNotes(agent)].filter(Boolean).join(', ');
    process.stdout.write(`${agent.id.padEnd(14)} ${oneLine(words)}\n`);
  }
  const today = state.standing.days[dayOf(new Date(systemClock.now()).toISOString())];
  if (today && today.usedTokens > 0) {
    const spent = `${today.usedTokens.toLocaleString('en')} tokens · ${describeCost(today)}`;
    process.stdout.write(`Today, by the clock of UTC: ${spent} in ${today.requests} requests\n`);
  }
  process.stdout.write(runs.length === 0 ? 'No runs in this workspace yet.\n' : '');
  return 0;
}

async function showInbox(command: CommandLine, signal: AbortSignal): Promise<number> {
  const groups = Object.values((await look(command, signal)).state.runs).flatMap((run) => waitingGroups(run));
  for (const group of groups) {
    const [{ id, subject }] = group;
    const line = `${id}  ${oneLine(describeSubject(subject))}  (${namesOfAskers(group)})\n`;
    process.stdout.write(command.json ? group.map((request) => jsonLine(request)).join('') : line);
  }
  if (groups.length === 0 && !command.json) {
    process.stdout.write('Nothing waits for you.\n');
  }
  return 0;
}

async function answer(command: CommandLine, options: HostOptions, signal: AbortSignal): Promise<number> {
  const [id, text] = command.words;
  if (id === undefined) {
    throw new HumanError('Say what to answer: devsquad answer ID, or devsquad answer ID allow|deny|TEXT.');
  }
  if (!process.stdin.isTTY) {
    throw new HumanError('Answers are taken from a person at a terminal only.');
  }
  const { role, squad } = await enterSquad(options, signal);
  try {
    // Nobody answers what is not on the screen in full.
    const shown = await squad.inbox.show(id);
    if (text === undefined) {
      await promptFor(squad, shown[0], undefined, signal);
      const { answer, door } = squad.ledger.state.runs[shown[0].runId]?.requests[id] ?? {};
      if (!answer || door !== 'terminal') {
        return 1;
      }
    } else {
      tellRequest(squad, shown);
      const said = parseAnswer(text, shown[0].subject.kind);
      await squad.inbox.answer(id, alsoFor(shown, said), 'terminal');
    }
    process.stderr.write(role === 'owner' ? 'Answered. "devsquad resume" goes on.\n' : 'Answered; the run goes on.\n');
    return 0;
  } finally {
    await squad.dispose();
  }
}

/** Lists the workspace's rules, or takes the named one back. */
async function rules(command: CommandLine, options: HostOptions, signal: AbortSignal): Promise<number> {
  const [id] = command.words;
  if (id === undefined) {
    const known = Object.values((await look(command, signal)).state.standing.rules);
    for (const rule of known) {
      process.stdout.write(
        command.json ? `${JSON.stringify(rule)}\n` : `${rule.id}  Allow ${visibleText(describeRule(rule))}\n`,
      );
    }
    process.stdout.write(known.length === 0 && !command.json ? 'There are no rules: each request is asked.\n' : '');
    return 0;
  }
  const { squad } = await enterSquad(options, signal);
  try {
    await squad.inbox.removeRule(id, 'terminal');
    process.stderr.write('Taken back: it is asked again from now on.\n');
    return 0;
  } finally {
    await squad.dispose();
  }
}

async function stop(command: CommandLine, signal: AbortSignal): Promise<number> {
  const owner = await ownerOf(command, signal);
  const reply = owner ? await askOwner(owner, { type: 'stop' }, signal) : undefined;
  if (reply === undefined) {
    throw new StorageError('No squad runs on this workspace.');
  }
  if (typeof reply === 'object' && reply !== null && 'message' in reply) {
    throw new HumanError(String(reply.message));
  }
  process.stderr.write('Stopped. "devsquad resume" goes on where it was.\n');
  return 0;
}

/** The registered owner of the workspace. A storage that is named must be its own, or the other one must be at rest. */
async function ownerOf(command: CommandLine, signal: AbortSignal): Promise<OwnerRecord | undefined> {
  const workspace = await checkWorkspace(command.workspace);
  if (command.storage !== undefined) {
    await findStorage(workspace, command, signal);
  }
  return registeredOwner(ownerFolder(squadHome(), workspace));
}

function hostOptions({ workspace, storage, sandbox }: CommandLine, media: string): HostOptions {
  const models = modelsOf(media);
  return {
    workspace,
    ...(storage === undefined ? {} : { storage }),
    logger: stderrLogger,
    models,
    sandbox,
    host: 'terminal',
    ...(process.stdin.isTTY ? { aboutSilentOwner } : {}),
  };
}

function modelsOf(media: string): HostModels {
  return new HostModels({ media, apiKey: () => Promise.resolve(process.env['OPENAI_API_KEY']) });
}

const stderrLogger: Logger = {
  info: () => undefined,
  warn: (message) => process.stderr.write(`${visibleText(message)}\n`),
  error: (message) => process.stderr.write(`${visibleText(message)}\n`),
};

/** What a model or a file says must not steer the terminal, nor look like another line of ours. */
function oneLine(text: string): string {
  return visibleText(text).replaceAll('\n', ' ');
}
