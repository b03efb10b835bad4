/** What a tool's call asks a person: under the call's own key, so that it asks once, also across a restart. */
import type { PersonRequest, RequestSubject } from '../domain/approval.ts';
import { callKey } from '../domain/task.ts';
import type { ToolContext } from '../tools/tool.ts';

export function requestOf(context: ToolContext, subject: RequestSubject): PersonRequest {
  const { runId, taskId, agentId } = context;
  return { id: callKey(context), runId, taskId, agentId, subject };
}
