/** `@devsquad` in the chat: starts runs, shows the plan, the state and what waits. Buttons lead to the dialogs; a chat text answers nothing. */
import * as vscode from 'vscode';
import { plainMarkdown } from '../../base/plainMarkdown.ts';
import { describeSubject } from '../../domain/approval.ts';
import { messageOf } from '../../domain/errors.ts';
import {
  capsOf,
  costWords,
  describeRun,
  namesOfAskers,
  plannedTasksOf,
  taskWords,
  waitingGroups,
} from '../../domain/phaseWords.ts';
import { openRequests } from '../../domain/requestState.ts';
import { currentRun } from '../../domain/squadState.ts';
import { readModel } from '../configuration.ts';
import type { EditorSquad } from '../editorSquad.ts';
import { tellPlan, tellResult, tellRun } from './runStory.ts';

interface SquadChatResult extends vscode.ChatResult {
  readonly metadata: { readonly next: readonly vscode.ChatFollowup[] };
}

type Answer = (
  prompt: string,
  stream: vscode.ChatResponseStream,
  token: vscode.CancellationToken,
  request: vscode.ChatRequest,
) => Promise<readonly vscode.ChatFollowup[]>;

const STATUS: vscode.ChatFollowup = { prompt: '', command: 'status', label: 'How far is it?' };
const PLAN: vscode.ChatFollowup = { prompt: '', command: 'plan', label: 'Show the plan it followed' };
const RUN_AGAIN: vscode.ChatFollowup = { prompt: '', command: 'run', label: 'Start another run' };
const APPROVE: vscode.ChatFollowup = { prompt: '', command: 'approve', label: 'What waits for me?' };

export function registerChatParticipant(squad: EditorSquad, context: vscode.ExtensionContext): vscode.Disposable {
  const answers: Readonly<Record<string, Answer>> = {
    run: (prompt, stream, token, request) => run(squad, context.secrets, prompt, stream, token, request),
    plan: (prompt, stream) => plan(squad, prompt, stream),
    status: (_prompt, stream) => status(squad, stream),
    agents: (_prompt, stream) => agents(squad, stream),
    approve: (_prompt, stream) => approve(squad, stream),
    stop: (_prompt, stream) => stop(squad, stream),
  };
  const participant = vscode.chat.createChatParticipant(
    'devsquad.squad',
    async (request, _context, stream, token): Promise<SquadChatResult> => {
      try {
        const answer = answers[request.command ?? 'run'] ?? answers['run'];
        const next = await answer?.(request.prompt.trim(), stream, token, request);
        return { metadata: { next: next ?? [] } };
      } catch (error) {
        if (error instanceof vscode.CancellationError) {
          return { metadata: { next: [] } };
        }
        return { errorDetails: { message: messageOf(error) }, metadata: { next: [RUN_AGAIN] } };
      }
    },
  );
  participant.iconPath = new vscode.ThemeIcon('organization');
  participant.followupProvider = {
    // The result is what our own handler answered; after a reload it may be another one's.
    provideFollowups: ({ metadata }) => [...((metadata as SquadChatResult['metadata'] | undefined)?.next ?? [])],
  };
  return vscode.Disposable.from(participant);
}

/** The chat's own model is used where the settings name none. */
async function run(
  squad: EditorSquad,
  secrets: vscode.SecretStorage,
  prompt: string,
  stream: vscode.ChatResponseStream,
  token: vscode.CancellationToken,
  { model }: vscode.ChatRequest,
): ReturnType<Answer> {
  const chosen = readModel();
  const objective = prompt === '' && chosen?.door === 'rehearsal' ? await firstRehearsal(squad) : prompt;
  // Something like a mistyped command is no objective.
  if (objective === '' || /^[@/#]/.test(objective)) {
    stream.markdown('Say what the team should do, for example: `@devsquad /run rate-limit the public API per key`.');
    return [STATUS];
  }
  const { startRun } = await import('../startRun.ts');
  const started = await startRun(squad, secrets, {
    objective,
    ...(chosen ? {} : { model: `editor:${model.vendor}/${model.id}` }),
  });
  if (!started) {
    return [RUN_AGAIN];
  }
  const { runId } = started;
  if (squad.state?.runs[runId]?.options.model.door === 'rehearsal') {
    stream.markdown('*Rehearsal: the model’s answers are prepared; tools, edits and tests are real.*\n\n');
  }
  stream.progress('The planning agent reads the workspace…');
  const end = await tellRun(squad, runId, stream, token);
  const after = squad.state?.runs[runId];
  if (end === 'left') {
    return [STATUS];
  }
  if (end === 'stopped' || !after) {
    stream.markdown('\n\nStopped. Nothing is lost.\n\n');
    stream.button({ command: 'devsquad.recover', title: 'Recover' });
    return [RUN_AGAIN];
  }
  tellResult(after, stream);
  return after.status === 'succeeded' ? [PLAN] : [RUN_AGAIN];
}

async function firstRehearsal(squad: EditorSquad): Promise<string> {
  const [first = ''] = await (await squad.models()).rehearsalObjectives();
  return first;
}

/** Without a word it shows the plan; words are what should be different. */
async function plan(squad: EditorSquad, prompt: string, stream: vscode.ChatResponseStream): ReturnType<Answer> {
  const found = currentRun(squad.state);
  const request = found && openRequests(found).find(({ subject }) => subject.kind === 'plan');
  if (!found) {
    stream.markdown('There is no run yet.');
    return [RUN_AGAIN];
  }
  if (prompt === '') {
    tellPlan(found, stream);
    return [STATUS];
  }
  if (!request) {
    stream.markdown('No plan waits for you now, so there is nothing to revise.');
    return [STATUS];
  }
  const { inbox } = await squad.open();
  await inbox.answer(request.id, { kind: 'text', text: prompt }, 'editor');
  stream.markdown('The planning agent revises the plan and asks you again.');
  return [STATUS, APPROVE];
}

function status(squad: EditorSquad, stream: vscode.ChatResponseStream): ReturnType<Answer> {
  const found = currentRun(squad.state);
  if (!found) {
    stream.markdown('There is no run yet.');
    return Promise.resolve([RUN_AGAIN]);
  }
  const { reservedTokens } = found.account;
  const caps = capsOf(found);
  const rows = plannedTasksOf(found).map(
    (task) =>
      `| ${plainMarkdown(task.title)} | ${plainMarkdown(task.agentId ?? '')} | ${plainMarkdown(taskWords(found, task))} |`,
  );
  stream.markdown(
    [
      `**${plainMarkdown(found.objective)}**: ${plainMarkdown(describeRun(found))}.`,
      `${costWords(found)} used${reservedTokens > 0 ? `, ${reservedTokens.toLocaleString('en')} reserved` : ''}${caps === '' ? '' : `, of ${caps}`}.`,
      rows.length > 0
        ? ['| task | agent | state |', '|---|---|---|', ...rows].join('\n')
        : 'Tasks appear when a plan exists.',
    ].join('\n\n'),
  );
  return Promise.resolve(openRequests(found).length > 0 ? [APPROVE] : []);
}

function agents(squad: EditorSquad, stream: vscode.ChatResponseStream): ReturnType<Answer> {
  const { state } = squad;
  const all = Object.values(state?.standing.agents ?? {});
  const run = currentRun(state);
  const rows = all.map(({ id, type, currentTaskId }) => {
    const task = currentTaskId === undefined ? undefined : run?.tasks[currentTaskId];
    return `- **${plainMarkdown(id)}** (${type}): ${task && run ? `${plainMarkdown(task.title)}, ${plainMarkdown(taskWords(run, task))}` : 'idle'}`;
  });
  stream.markdown(
    rows.length > 0 ? rows.join('\n') : 'Nobody is in the team yet; agents are made when a run needs them.',
  );
  return Promise.resolve([STATUS]);
}

function approve(squad: EditorSquad, stream: vscode.ChatResponseStream): ReturnType<Answer> {
  const waiting = Object.values(squad.state?.runs ?? {}).flatMap((found) => waitingGroups(found));
  if (waiting.length === 0) {
    stream.markdown('Nothing waits for you.');
  }
  for (const group of waiting) {
    const [{ id, subject }] = group;
    stream.markdown(`\n\n**${plainMarkdown(namesOfAskers(group))}**: ${plainMarkdown(describeSubject(subject))}\n\n`);
    stream.button({ command: 'devsquad.answerApproval', title: 'Answer…', arguments: [id] });
  }
  return Promise.resolve([STATUS]);
}

async function stop(squad: EditorSquad, stream: vscode.ChatResponseStream): ReturnType<Answer> {
  const stopped = (await squad.current?.runs.stopAll('editor')) ?? [];
  stream.markdown(
    stopped.length > 0 ? 'Stopped: nothing of it runs any more, and nothing is lost.\n\n' : 'Nothing runs now.',
  );
  if (stopped.length > 0) {
    stream.button({ command: 'devsquad.recover', title: 'Recover' });
  }
  return [];
}
