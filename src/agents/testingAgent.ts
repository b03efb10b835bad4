/** Writes tests that would fail if the code were wrong. */
import type { AgentIdentity } from '../domain/agent.ts';
import { testSuiteSchema, type TestSuite } from '../domain/artifacts/testing.ts';
import type { AgentTask, TaskResult } from './baseAgent.ts';
import { LoopingAgent, type AgentServices } from './loopingAgent.ts';
import { taskBrief, teamInstructions } from './prompts/team.ts';
import { TESTING_RULES } from './prompts/testing.ts';
import type { TeamTools } from './teamTools.ts';

export class TestingAgent extends LoopingAgent {
  private readonly team: TeamTools;

  constructor(identity: AgentIdentity, services: AgentServices, team: TeamTools) {
    super(identity, services);
    this.team = team;
  }

  processTask(work: AgentTask): Promise<TaskResult> {
    const generates = work.task.type === 'generate-tests';
    return this.perform(work, generates ? (task) => this.generateTests(task.reads.join(', ')) : undefined);
  }

  /** Writes tests for the code (globs; '' means what the description names) in the task's worktree. */
  async generateTests(code: string): Promise<TestSuite> {
    const { task, workspace } = this.work;
    return testSuiteSchema.parse(
      await this.loop({
        instructions: teamInstructions(this.id, this.type, TESTING_RULES, workspace, this.servers),
        brief: taskBrief(task, code ? `${task.description}\n\nCode under test: ${code}` : task.description),
        tools: [...this.workingTools, ...this.team.forWork(testSuiteSchema)],
      }),
    );
  }
}
