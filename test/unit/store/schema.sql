CREATE TABLE runs (
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
);

CREATE INDEX runs_by_start ON runs (started_at, id);

CREATE TABLE agent_registry (
  id TEXT PRIMARY KEY,
  agent_type TEXT NOT NULL CHECK (agent_type IN ('planning','coding','testing','research','deployment')),
  agent_name TEXT NOT NULL,
  capabilities TEXT NOT NULL,
  status TEXT NOT NULL DEFAULT 'idle' CHECK (status IN ('idle','active','busy','error')),
  current_task_id TEXT,
  specializations TEXT NOT NULL,
  performance_metrics TEXT NOT NULL DEFAULT '{}',
  created_at TEXT NOT NULL,
  last_active_at TEXT NOT NULL,
  destroyed_at TEXT,
  draining INTEGER NOT NULL DEFAULT 0 CHECK (draining IN (0,1)),
  restarts INTEGER NOT NULL DEFAULT 0,
  trouble TEXT
);

CREATE TABLE agent_communications (
  id TEXT PRIMARY KEY,
  sender_agent_id TEXT REFERENCES agent_registry(id),
  receiver_agent_id TEXT REFERENCES agent_registry(id),
  message_type TEXT NOT NULL CHECK (message_type IN ('task_request','task_response','status_update','coordination')),
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
);

CREATE INDEX agent_communications_by_run ON agent_communications (run_id);

CREATE TABLE dead_letters (
  id TEXT PRIMARY KEY REFERENCES agent_communications(id),
  run_id TEXT REFERENCES runs(id),
  cause TEXT NOT NULL CHECK (cause IN ('unknown-receiver','receiver-gone','refused')),
  reason TEXT NOT NULL,
  failed_at TEXT NOT NULL,
  resent_at TEXT
);

CREATE TABLE agent_tasks (
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
  phase TEXT NOT NULL DEFAULT 'waiting' CHECK (phase IN ('waiting','ready','working','paused','waiting_for_person','split','proving','merging','proven','failed','cancelled')),
  attempt INTEGER NOT NULL DEFAULT 1,
  role TEXT NOT NULL CHECK (role IN ('planning','coding','testing','research','deployment')),
  acceptance TEXT NOT NULL DEFAULT '[]',
  proof TEXT,
  failure TEXT,
  tokens INTEGER NOT NULL DEFAULT 0,
  refused_claims INTEGER NOT NULL DEFAULT 0
);

CREATE INDEX agent_tasks_by_run ON agent_tasks (run_id);

CREATE TABLE coordination_sessions (
  id TEXT PRIMARY KEY,
  session_name TEXT NOT NULL,
  participating_agents TEXT NOT NULL,
  coordinator_agent_id TEXT REFERENCES agent_registry(id),
  session_type TEXT NOT NULL CHECK (session_type IN ('planning','execution','review','emergency')),
  status TEXT NOT NULL DEFAULT 'active',
  decisions TEXT NOT NULL DEFAULT '[]',
  created_at TEXT NOT NULL,
  ended_at TEXT
);

CREATE TABLE approvals (
  id TEXT PRIMARY KEY,
  run_id TEXT NOT NULL REFERENCES runs(id),
  task_id TEXT,
  agent_id TEXT,
  subject TEXT NOT NULL,
  answer TEXT,
  door TEXT CHECK (door IN ('terminal','editor','policy')),
  opened_at TEXT NOT NULL
);

CREATE INDEX approvals_by_task ON approvals (task_id);

CREATE TABLE model_calls (
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
);

CREATE INDEX model_calls_by_run ON model_calls (run_id, task_id);
