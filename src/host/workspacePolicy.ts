/** Reads `.devsquad/policy.json` of a workspace. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { HumanError, messageOf } from '../domain/errors.ts';
import { parseWorkspacePolicy, type WorkspacePolicy } from '../domain/policy.ts';
import { isMissing } from '../workspace/folders.ts';

export const POLICY_FILE = '.devsquad/policy.json';

/** Undefined where there is none. Rejects with a HumanError for one that is not understood: no run begins without its guards. */
export async function readWorkspacePolicy(root: string): Promise<WorkspacePolicy | undefined> {
  try {
    return parseWorkspacePolicy(JSON.parse(await readFile(path.join(root, POLICY_FILE), 'utf8')));
  } catch (cause) {
    if (isMissing(cause)) {
      return undefined;
    }
    throw new HumanError(
      `No run begins with a policy that is not understood: ${POLICY_FILE} of this workspace. ${messageOf(cause)}\nMend it or remove it. It holds lists named "ask", "refuse" and "refuseHosts".`,
      { cause },
    );
  }
}
