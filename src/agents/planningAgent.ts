/** Turns an objective into a plan that the developer can accept, and hands its tasks to the team. */
import type { AgentIdentity } from '../domain/agent.ts';
import { projectPlanSchema, type ProjectPlan } from '../domain/plan.ts';
import { PLANNING_TOOLS } from '../tools/toolCatalogue.ts';
import type { AgentTask, TaskResult } from './baseAgent.ts';
import { LoopingAgent, type AgentServices } from './loopingAgent.ts';
import { PLANNING_RULES } from './prompts/planning.ts';
import { teamInstructions } from './prompts/team.ts';
import type { TeamTools } from './teamTools.ts';

export class PlanningAgent extends LoopingAgent {
  private readonly team: TeamTools;

  constructor(identity: AgentIdentity, services: AgentServices, team: TeamTools) {
    super(identity, services);
    this.team = team;
  }

  processTask(work: AgentTask): Promise<TaskResult> {
    const plans = work.task.type === 'create-project-plan';
    return this.perform(work, plans ? (task) => this.createProjectPlan(task.description) : undefined);
  }

  /** Reads the workspace and submits plans until the developer accepts one, which is the answer. */
  async createProjectPlan(requirements: string): Promise<ProjectPlan> {
    return projectPlanSchema.parse(
      await this.loop({
        instructions: teamInstructions(this.id, this.type, PLANNING_RULES, this.work.workspace),
        brief: `The objective:\n\n${requirements}\n\nRead what you need, then call submit_plan.`,
        tools: [...PLANNING_TOOLS, ...this.team.forPlanning()],
      }),
    );
  }
}
