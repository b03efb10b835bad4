/**
 * The tables as text, in SQL that SQLite and PostgreSQL both take, and the same columns as types for Kysely. The mission's
 * columns come first in each of its tables, ours behind them. There are no migrations: another text, another hash, and
 * the tables are built anew from the ledger.
 *
 * Money is in columns in `_micro_usd`, millionths of a dollar; NULL where nobody knows a price.
 * Times are ISO 8601 text; lists and objects are JSON text; columns in `_ms` hold milliseconds; flags are 0 or 1.
 */
import { createHash } from 'node:crypto';
import { agentStatusSchema, agentTypeSchema, type AgentStatus, type AgentType } from '../domain/agent.ts';
import type { AnswerDoor } from '../domain/approval.ts';
import type { Usage } from '../domain/budget.ts';
import {
  deadCauseSchema,
  messageTypeSchema,
  type DeadCause,
  type MessageStatus,
  type MessageType,
  type Party,
} from '../domain/message.ts';
import type { RunPhase, RunStatus } from '../domain/run.ts';
import { taskPhaseSchema, type TaskPhase, type TaskStatus } from '../domain/task.ts';

const oneOf = (values: readonly string[]): string => `IN (${values.map((value) => `'${value}'`).join(',')})`;

/** One statement per entry; a table stands behind those it refers to. */
export const DDL: readonly string[] = [
  `CREATE TABLE runs (
  id TEXT PRIMARY KEY,
  objective TEXT NOT NULL,
  phase TEXT NOT NULL CHECK (phase IN ('planning','awaiting-approval','working','ended')),
  paused INTEGER NOT NULL DEFAULT 0 CHECK (paused IN (0,1)),
  stopped INTEGER NOT NULL DEFAULT 0 CHECK (stopped IN (0,1)),
  status TEXT CHECK (status IN ('succeeded','failed','stopped','budget-reached')),
  outcome TEXT NOT NULL,
  reason TEXT,
  options TEXT NOT NULL,
  used_tokens INTEGER NOT NULL DEFAULT 0,
  used_micro_usd BIGINT,
  unpriced_tokens INTEGER NOT NULL DEFAULT 0,
  requests INTEGER NOT NULL DEFAULT 0,
  worked_ms DOUBLE PRECISION NOT NULL DEFAULT 0,
  started_at TEXT NOT NULL,
  ended_at TEXT,
  diff TEXT,
  archived_at TEXT
)`,
  `CREATE INDEX runs_by_start ON runs (started_at, id)`,
  `CREATE TABLE agent_registry (
  id TEXT PRIMARY KEY,
  agent_type TEXT NOT NULL CHECK (agent_type ${oneOf(agentTypeSchema.options)}),
  agent_name TEXT NOT NULL,
  capabilities TEXT NOT NULL,
  status TEXT NOT NULL DEFAULT 'idle' CHECK (status ${oneOf(agentStatusSchema.options)}),
  current_task_id TEXT,
  specializations TEXT NOT NULL,
  performance_metrics TEXT NOT NULL DEFAULT '{}',
  created_at TEXT NOT NULL,
  last_active_at TEXT NOT NULL,
  destroyed_at TEXT,
  draining INTEGER NOT NULL DEFAULT 0 CHECK (draining IN (0,1)),
  restarts INTEGER NOT NULL DEFAULT 0,
  trouble TEXT
)`,
  `CREATE TABLE agent_communications (
  id TEXT PRIMARY KEY,
  sender_agent_id TEXT REFERENCES agent_registry(id),
  receiver_agent_id TEXT REFERENCES agent_registry(id),
  message_type TEXT NOT NULL CHECK (message_type ${oneOf(messageTypeSchema.options)}),
  message_content TEXT NOT NULL,
  priority INTEGER NOT NULL DEFAULT 1 CHECK (priority BETWEEN 1 AND 5),
  status TEXT NOT NULL DEFAULT 'pending' CHECK (status IN ('pending','delivered','processed','failed')),
  sent_at TEXT NOT NULL,
  processed_at TEXT,
  run_id TEXT REFERENCES runs(id),
  sender_kind TEXT NOT NULL CHECK (sender_kind IN ('agent','person','runtime')),
  receiver_kind TEXT NOT NULL CHECK (receiver_kind IN ('agent','person','runtime')),
  broadcast_id TEXT,
  thread_id TEXT,
  in_reply_to TEXT,
  refusals INTEGER NOT NULL DEFAULT 0,
  rests_until TEXT
)`,
  `CREATE INDEX agent_communications_by_run ON agent_communications (run_id)`,
  `CREATE TABLE dead_letters (
  id TEXT PRIMARY KEY REFERENCES agent_communications(id),
  run_id TEXT REFERENCES runs(id),
  cause TEXT NOT NULL CHECK (cause ${oneOf(deadCauseSchema.options)}),
  reason TEXT NOT NULL,
  failed_at TEXT NOT NULL,
  resent_at TEXT
)`,
  `CREATE TABLE agent_tasks (
  id TEXT PRIMARY KEY,
  parent_task_id TEXT,
  assigned_agent_id TEXT REFERENCES agent_registry(id),
  delegated_by_agent_id TEXT REFERENCES agent_registry(id),
  task_type TEXT NOT NULL,
  task_description TEXT NOT NULL,
  task_context TEXT NOT NULL,
  dependencies TEXT NOT NULL DEFAULT '[]',
  priority INTEGER NOT NULL DEFAULT 1 CHECK (priority BETWEEN 1 AND 5),
  status TEXT NOT NULL DEFAULT 'assigned' CHECK (status IN ('assigned','in_progress','completed','failed','delegated')),
  estimated_duration_ms INTEGER,
  actual_duration_ms INTEGER,
  result TEXT,
  created_at TEXT NOT NULL,
  started_at TEXT,
  completed_at TEXT,
  run_id TEXT REFERENCES runs(id),
  task_key TEXT NOT NULL,
  title TEXT NOT NULL,
  phase TEXT NOT NULL DEFAULT 'waiting' CHECK (phase ${oneOf(taskPhaseSchema.options)}),
  attempt INTEGER NOT NULL DEFAULT 1,
  role TEXT NOT NULL CHECK (role ${oneOf(agentTypeSchema.options)}),
  acceptance TEXT NOT NULL DEFAULT '[]',
  proof TEXT,
  failure TEXT,
  tokens INTEGER NOT NULL DEFAULT 0,
  refused_claims INTEGER NOT NULL DEFAULT 0
)`,
  `CREATE INDEX agent_tasks_by_run ON agent_tasks (run_id)`,
  `CREATE TABLE coordination_sessions (
  id TEXT PRIMARY KEY,
  session_name TEXT NOT NULL,
  participating_agents TEXT NOT NULL,
  coordinator_agent_id TEXT REFERENCES agent_registry(id),
  session_type TEXT NOT NULL CHECK (session_type IN ('planning','execution','review','emergency')),
  status TEXT NOT NULL DEFAULT 'active',
  decisions TEXT NOT NULL DEFAULT '[]',
  created_at TEXT NOT NULL,
  ended_at TEXT
)`,
  `CREATE TABLE approvals (
  id TEXT PRIMARY KEY,
  run_id TEXT NOT NULL REFERENCES runs(id),
  task_id TEXT,
  agent_id TEXT,
  subject TEXT NOT NULL,
  answer TEXT,
  door TEXT CHECK (door IN ('terminal','editor','policy')),
  opened_at TEXT NOT NULL
)`,
  `CREATE INDEX approvals_by_task ON approvals (task_id)`,
  `CREATE TABLE model_calls (
  id TEXT PRIMARY KEY,
  run_id TEXT NOT NULL REFERENCES runs(id),
  task_id TEXT NOT NULL REFERENCES agent_tasks(id),
  agent_id TEXT REFERENCES agent_registry(id),
  model TEXT NOT NULL,
  status TEXT NOT NULL DEFAULT 'open' CHECK (status IN ('open','answered','failed')),
  failure TEXT,
  reserved_tokens INTEGER NOT NULL,
  reserved_micro_usd BIGINT,
  input_tokens INTEGER,
  output_tokens INTEGER,
  usage_source TEXT CHECK (usage_source IN ('provider','counted','assumed')),
  micro_usd BIGINT,
  started_at TEXT NOT NULL,
  ended_at TEXT
)`,
  `CREATE INDEX model_calls_by_run ON model_calls (run_id, task_id)`,
];

/** The whole schema as one text: it stands in no other file, so nothing can differ from it. */
export const schemaText = (): string => DDL.map((statement) => `${statement};\n`).join('\n');

/** Which schema an image was built with. */
export const schemaHash: string = createHash('sha256').update(schemaText()).digest('hex');

type Json = string;
type Flag = 0 | 1;

interface RunRow {
  id: string;
  objective: string;
  phase: RunPhase;
  paused: Flag;
  stopped: Flag;
  status: RunStatus | null;
  /** `RunOutcome` */
  outcome: Json;
  reason: string | null;
  /** `RunOptions` */
  options: Json;
  used_tokens: number;
  /** Of the calls of known price; null once there is use and all of it is of unknown price. */
  used_micro_usd: number | null;
  unpriced_tokens: number;
  requests: number;
  worked_ms: number;
  started_at: string;
  ended_at: string | null;
  /** `DiffSummary` */
  diff: Json | null;
  archived_at: string | null;
}

interface AgentRow {
  id: string;
  agent_type: AgentType;
  agent_name: string;
  capabilities: Json;
  status: AgentStatus;
  current_task_id: string | null;
  specializations: Json;
  /** `PerformanceRecord` by task type */
  performance_metrics: Json;
  created_at: string;
  last_active_at: string;
  /** The row of a destroyed agent stays, for what refers to it, and is changed no more. */
  destroyed_at: string | null;
  draining: Flag;
  restarts: number;
  /** Why the agent is in `error`. */
  trouble: string | null;
}

interface MessageRow {
  id: string;
  /** The agent's id; null when a person or the runtime is meant, and then the kind says which. */
  sender_agent_id: string | null;
  receiver_agent_id: string | null;
  message_type: MessageType;
  /** `MessageContent`, whole, also where the living state keeps a preview */
  message_content: Json;
  priority: number;
  status: MessageStatus;
  sent_at: string;
  processed_at: string | null;
  run_id: string | null;
  sender_kind: Party['kind'];
  receiver_kind: Party['kind'];
  /** The same in all rows of one broadcast. */
  broadcast_id: string | null;
  /** Id of the first message of a conversation. */
  thread_id: string | null;
  in_reply_to: string | null;
  /** How often its receiver could not take it since it was last sent. */
  refusals: number;
  /** Set while it rests before it is tried again. */
  rests_until: string | null;
}

interface DeadLetterRow {
  /** The message's own. */
  id: string;
  run_id: string | null;
  cause: DeadCause;
  reason: string;
  failed_at: string;
  /** When somebody last sent it again. */
  resent_at: string | null;
}

interface TaskRow {
  id: string;
  parent_task_id: string | null;
  assigned_agent_id: string | null;
  delegated_by_agent_id: string | null;
  task_type: string;
  task_description: string;
  /** `{ input?, capabilities, reads, writes }` */
  task_context: Json;
  /** Ids of tasks */
  dependencies: Json;
  priority: number;
  status: TaskStatus;
  estimated_duration_ms: number | null;
  actual_duration_ms: number | null;
  /** The agent's claim, `{ summary, artifacts? }`: counts only once `status` is completed. */
  result: Json | null;
  created_at: string;
  started_at: string | null;
  completed_at: string | null;
  run_id: string | null;
  task_key: string;
  title: string;
  phase: TaskPhase;
  attempt: number;
  role: AgentType;
  /** `AcceptanceCheck[]` */
  acceptance: Json;
  /** `TaskProof` */
  proof: Json | null;
  failure: string | null;
  tokens: number;
  refused_claims: number;
}

interface SessionRow {
  id: string;
  session_name: string;
  participating_agents: Json;
  coordinator_agent_id: string | null;
  session_type: 'planning' | 'execution' | 'review' | 'emergency';
  status: string;
  decisions: Json;
  created_at: string;
  ended_at: string | null;
}

interface ApprovalRow {
  id: string;
  run_id: string;
  task_id: string | null;
  agent_id: string | null;
  /** `RequestSubject` */
  subject: Json;
  /** `RequestAnswer`; null while the request is open. */
  answer: Json | null;
  door: AnswerDoor | null;
  opened_at: string;
}

interface ModelCallRow {
  id: string;
  run_id: string;
  task_id: string;
  agent_id: string | null;
  model: string;
  status: 'open' | 'answered' | 'failed';
  /** Kind of the failure, and what was said of it. */
  failure: string | null;
  /** What the call might come to at most. */
  reserved_tokens: number;
  reserved_micro_usd: number | null;
  /** What it came to; null while it is open. */
  input_tokens: number | null;
  output_tokens: number | null;
  usage_source: Usage['source'] | null;
  /** Null while the call is open, and where nobody knows the model's price. */
  micro_usd: number | null;
  started_at: string;
  ended_at: string | null;
}

export interface Database {
  runs: RunRow;
  agent_registry: AgentRow;
  agent_communications: MessageRow;
  dead_letters: DeadLetterRow;
  agent_tasks: TaskRow;
  coordination_sessions: SessionRow;
  approvals: ApprovalRow;
  model_calls: ModelCallRow;
}
