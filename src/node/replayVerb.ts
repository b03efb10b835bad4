/** `devsquad replay`: plays a run again from its recorded inputs and says whether the squad decides the same today. */
import { visibleText } from '../base/visibleText.ts';
import { UsageError } from '../domain/errors.ts';
import { checkWorkspace, findStorage } from '../host/openSquad.ts';
import { readJournal } from '../ledger/journalFile.ts';
import { replayRun, type ReplayResult } from '../replay/replay.ts';
import type { CommandLine } from './commandLine.ts';
import { jsonLine } from './jsonLine.ts';

/** Exit code 0 when both hashes are equal, 1 otherwise. Changes nothing, and needs no owner to be gone. */
export async function replay(command: CommandLine, signal: AbortSignal): Promise<number> {
  // A storage folder says by itself which squad it is of.
  const storage =
    command.storage ?? (await findStorage(await checkWorkspace(command.workspace), { ...command }, signal));
  const { events } = await readJournal(storage);
  const runs = events.flatMap((event) => (event.type === 'run-started' ? [event.runId ?? ''] : []));
  if (command.run === undefined || !runs.includes(command.run)) {
    const known = runs.length === 0 ? 'This squad has no runs.' : `There are ${runs.join(', ')}.`;
    throw new UsageError(`Say which run to play again: --run ID. ${known}`);
  }
  const result = await replayRun(events, command.run, signal);
  process.stdout.write(command.json ? jsonLine(result) : visibleText(describe(result)));
  return result.equal ? 0 : 1;
}

function describe(result: ReplayResult): string {
  if (!result.comparable) {
    return `${result.runId} was recorded by another version of DevSquad and is not played again.\n`;
  }
  const lines = [
    `recorded  ${result.recordedHash ?? ''}`,
    `replayed  ${result.replayedHash ?? ''}`,
    result.equal ? 'equal' : 'not equal',
  ];
  if (result.difference) {
    const { sequence, recorded, replayed } = result.difference;
    lines.push(`first difference at event ${sequence}:`, `  recorded  ${recorded}`, `  replayed  ${replayed}`);
  }
  return `${lines.join('\n')}\n`;
}
