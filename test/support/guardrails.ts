/** The guardrails as they are built in, read once for all tests of a process. */
import { permitBy } from '../../src/tools/tool.ts';
import { openGuardrails } from '../../src/workspace/openGuardrails.ts';

export const guardrails = await openGuardrails();
export const permit = permitBy(guardrails);
