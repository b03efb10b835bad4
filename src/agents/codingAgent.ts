/** Writes and reviews code. */
import {
  codeReviewSchema,
  generatedCodeSchema,
  type CodeReview,
  type CodeSpec,
  type GeneratedCode,
} from '../domain/artifacts/coding.ts';
import type { AgentIdentity } from '../domain/agent.ts';
import type { TASK_TYPES_BY_ROLE } from '../domain/plan.ts';
import type { TaskView } from '../domain/squadState.ts';
import { READING_TOOLS, WORKING_TOOLS } from '../tools/toolCatalogue.ts';
import type { AgentTask, TaskResult } from './baseAgent.ts';
import { LoopingAgent, type AgentServices, type MethodTable } from './loopingAgent.ts';
import { CODING_RULES, REVIEW_RULES } from './prompts/coding.ts';
import { taskBrief, teamInstructions } from './prompts/team.ts';
import type { TeamTools } from './teamTools.ts';

type CodingTaskType = (typeof TASK_TYPES_BY_ROLE)['coding'][number];

export class CodingAgent extends LoopingAgent {
  private readonly team: TeamTools;
  private readonly methods: MethodTable<CodingTaskType> = {
    'generate-code': (task) => this.generateCode({ description: task.description, files: [...task.writes] }),
    'review-code': (task) => this.reviewCode(task.reads.join(', ')),
  };

  constructor(identity: AgentIdentity, services: AgentServices, team: TeamTools) {
    super(identity, services);
    this.team = team;
  }

  processTask(work: AgentTask): Promise<TaskResult> {
    return this.perform(work, this.methodOf(work.task));
  }

  /** Writes the code of the current task in its worktree; resolves when the host has proven and merged it. */
  async generateCode(specification: CodeSpec): Promise<GeneratedCode> {
    const { task, workspace } = this.work;
    return generatedCodeSchema.parse(
      await this.loop({
        instructions: teamInstructions(this.id, this.type, CODING_RULES, workspace, this.servers),
        brief: taskBrief(task, specification.description),
        tools: [...this.workingTools, ...this.team.forWork(generatedCodeSchema)],
      }),
    );
  }

  /** Reads the code (globs; '' means all of the workspace) and changes nothing. */
  async reviewCode(code: string): Promise<CodeReview> {
    const { task, workspace } = this.work;
    return codeReviewSchema.parse(
      await this.loop({
        instructions: teamInstructions(this.id, this.type, REVIEW_RULES, workspace),
        brief: taskBrief(task, `${task.description}\n\nReview: ${code || 'what the tasks before this one changed'}`),
        tools: [
          ...READING_TOOLS,
          ...WORKING_TOOLS.filter(({ name }) => name === 'run_tests'),
          ...this.team.forWork(codeReviewSchema),
        ],
      }),
    );
  }

  private methodOf({ type }: TaskView): MethodTable<CodingTaskType>[CodingTaskType] | undefined {
    return type === 'generate-code' || type === 'review-code' ? this.methods[type] : undefined;
  }
}
