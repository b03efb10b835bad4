/** A workspace's squad in a Node process: where its storage is, what is in it, and the whole of it at work once it is owned. */
import { access, constants, realpath, stat } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { messageOf, StorageError } from '../domain/errors.ts';
import { isUnfinished } from '../domain/run.ts';
import { readState } from '../ledger/history.ts';
import { registeredOwner } from '../ledger/ownerRecords.ts';
import { probeOwner, type Ownership } from '../ledger/ownership.ts';
import { ownerFolder, squadKey } from '../ledger/squadHome.ts';
import { SquadLedger } from '../ledger/squadLedger.ts';
import type { LanguageModels, Logger } from '../ports.ts';
import { TablesStore } from '../store/sqljs/tablesClient.ts';
import { TablesFeed } from '../store/tablesFeed.ts';
import { GitSquadFiles } from '../services/gitSquadFiles.ts';
import { createSquad, type Squad } from '../squad.ts';
import { McpClient } from '../integrations/mcpClient.ts';
import { systemNetwork, WebReader } from '../tools/fetchUrlReader.ts';
import { permitBy } from '../tools/tool.ts';
import { openGuardrails } from '../workspace/openGuardrails.ts';
import type { AboutSilentOwner } from './claimSquad.ts';
import { systemClock } from './clock.ts';
import { squadHome } from './home.ts';
import { findSandbox } from '../workspace/findSandbox.ts';
import type { Sandbox } from '../workspace/sandbox.ts';

export interface OpenSquad extends Squad {
  readonly ledger: SquadLedger;
  /** Ends all work, the ledger and the ownership. */
  dispose(): Promise<void>;
}

export interface HostOptions {
  readonly workspace: string;
  readonly storage?: string;
  readonly logger: Logger;
  readonly models: LanguageModels;
  readonly host: 'terminal' | 'editor';
  /** Where the squad's folder is made for a workspace that has none yet; `~/.devsquad/squads` where nothing is said. */
  readonly squads?: string;
  /** False: commands run outside of any sandbox. */
  readonly sandbox?: boolean;
  /** Asked about an owner that does not answer; where nobody can be asked it keeps the squad. */
  readonly aboutSilentOwner?: AboutSilentOwner;
}

/** Where the squad of a workspace keeps its state: the given folder, the registered one, or the default. */
export async function findStorage(
  workspace: string,
  { storage, squads }: Pick<HostOptions, 'storage' | 'squads'>,
  signal: AbortSignal,
): Promise<string> {
  const home = squadHome();
  const registered = await registeredOwner(ownerFolder(home, workspace));
  const fallback = registered?.storage ?? path.join(squads ?? path.join(home.folder, 'squads'), squadKey(workspace));
  if (storage === undefined || registered === undefined || path.resolve(storage) === registered.storage) {
    return storage === undefined ? fallback : path.resolve(storage);
  }
  if ((await probeOwner(registered, signal)) !== 'gone') {
    throw new StorageError(
      `Another DevSquad (process ${registered.pid}) runs this workspace's squad in ${registered.storage}.`,
    );
  }
  const { runs } = await readState(registered.storage);
  if (Object.values(runs).some((run) => isUnfinished(run))) {
    throw new StorageError(
      `${registered.storage} holds an unfinished run of this workspace. Resume it there, or leave out --storage.`,
    );
  }
  return path.resolve(storage);
}

export async function checkWorkspace(workspace: string): Promise<string> {
  const found = await stat(workspace).catch((cause: unknown) => {
    throw new StorageError(`The workspace ${workspace} cannot be opened: ${messageOf(cause)}`, { cause });
  });
  if (!found.isDirectory()) {
    throw new StorageError(`The workspace ${workspace} is no folder.`);
  }
  await access(workspace, constants.R_OK | constants.X_OK).catch((cause: unknown) => {
    throw new StorageError(`The workspace ${workspace} cannot be read: ${messageOf(cause)}`, { cause });
  });
  return realpath(workspace);
}

/** Where the squad of a workspace is, seen from here. */
export interface SquadPlace {
  readonly workspaceRoot: string;
  readonly storage: string;
}

/** Rejects with a StorageError where the workspace or the storage cannot be used. */
export async function placeOf(options: HostOptions, signal: AbortSignal): Promise<SquadPlace> {
  const workspaceRoot = await checkWorkspace(options.workspace);
  const storage = await findStorage(workspaceRoot, options, signal);
  if (storage === workspaceRoot || storage.startsWith(workspaceRoot + path.sep)) {
    throw new StorageError('The storage folder lies in the workspace; choose one outside it.');
  }
  return { workspaceRoot, storage };
}

/** Opens what this process owns now. Whatever goes wrong, the ownership is released. */
export async function openOwned(
  { workspaceRoot, storage }: SquadPlace,
  ownership: Ownership,
  { host, logger, models, sandbox: isSandboxed = true }: Pick<HostOptions, 'host' | 'logger' | 'models' | 'sandbox'>,
  signal: AbortSignal,
): Promise<OpenSquad> {
  try {
    const { epoch, laterOwner } = ownership;
    const ledger = await SquadLedger.open({ storage, epoch, laterOwner, host, clock: systemClock });
    for (const sentence of ledger.damage) {
      logger.warn(sentence);
    }
    ledger.onDidWarn((sentence) => {
      logger.warn(sentence);
    });
    const ledgerSequence = ledger.state.sequence;
    const tables = await TablesStore.open({ folder: storage, ledgerSequence, clock: systemClock, logger }, signal);
    const feed = new TablesFeed({ ledger, tables, clock: systemClock, logger });
    const beforeStart = (): void => {
      ledger.assertOwner();
    };
    const sandbox = isSandboxed ? await sandboxFor(storage, logger) : undefined;
    const files = new GitSquadFiles({ workspaceRoot, storage, clock: systemClock, sandbox, beforeStart });
    const permit = permitBy(await openGuardrails());
    const web = new WebReader({ clock: systemClock, network: systemNetwork });
    const servers = new McpClient(process.env);
    const made = createSquad({ ledger, models, clock: systemClock, logger, files, permit, web, servers });
    await made.runs.open();
    return {
      ...made,
      ledger,
      dispose: async () => {
        await made.close();
        await feed.close(AbortSignal.timeout(TABLES_PATIENCE_MS));
        await ledger.close();
        await ownership.release();
      },
    };
  } catch (error) {
    await ownership.release();
    throw error;
  }
}

/** Where there is none, that is said, once for each start of a host and with every command that asks. */
async function sandboxFor(storage: string, logger: Logger): Promise<Sandbox | undefined> {
  const { folder, runtimeFolders } = squadHome();
  const hidden = [storage, folder, ...runtimeFolders];
  const found = await findSandbox({ home: os.homedir(), temporary: os.tmpdir(), hidden });
  if (found.kind === 'none') {
    logger.warn(found.reason);
    return undefined;
  }
  return found.sandbox;
}

/** How long the end of the process waits for the tables; the next start catches up what is missing. */
const TABLES_PATIENCE_MS = 10_000;
