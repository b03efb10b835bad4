/**
 * The one place that says what an agent may do, whichever door it comes through: a tool, the terminal's `judge`, a check in a
 * plan, a view. It decides on names and texts alone and opens nothing.
 */
import type { RunText } from '../domain/approval.ts';
import type { Policy } from './policy.ts';
import { judgeCommand, type CommandSurroundings, type Shell } from './commandRisk.ts';
import { wordsOnFiles } from './onFiles.ts';
import { judgePath, judgeWrite, type PathOperation } from './pathRules.ts';
import type { ShellSyntax } from './shellSyntax.ts';
import { judgeUrl } from './urlRules.ts';
import { deny, strictest, type Verdict } from './verdict.ts';
import { whatRuns } from './whatRuns.ts';

export class Guardrails {
  private readonly syntax: ShellSyntax;
  private readonly policy: Policy;

  constructor(syntax: ShellSyntax, policy: Policy) {
    this.syntax = syntax;
    this.policy = policy;
  }

  /** The same rules and what a run adds to them. */
  under(added: Policy): Guardrails {
    const { commands, hosts, ...stricter } = added;
    return new Guardrails(this.syntax, {
      ...stricter,
      commands: [...this.policy.commands, ...commands],
      hosts: [...this.policy.hosts, ...hosts],
    });
  }

  /** `cwd` is a path in the workspace. */
  command(shell: Shell, command: string, world: World, cwd = '.'): Verdict {
    const lookAt: CommandSurroundings['lookAt'] = (op, path, deep) => {
      const from = path.startsWith('/') || cwd === '.' ? path : `${cwd}/${path}`;
      const verdict = this.path(op, from, world);
      if (verdict.kind !== 'allow') {
        return verdict.reason;
      }
      return deep && world.holdsSecrets(from) ? `${path} has files that may hold secrets.` : undefined;
    };
    return judgeCommand(shell, command, this.syntax, { policy: this.policy, lookAt });
  }

  /**
   * What of the workspace it runs, as it is now; without its text where that cannot be read, or may not be shown. `named`:
   * words beside the command that count where they name a file.
   */
  runs(command: string, world: World, cwd = '.', named: readonly string[] = []): RunText[] {
    const textOf = (path: string): string | undefined =>
      this.path('read', path, world).kind === 'allow' ? world.textOf(path) : undefined;
    return whatRuns(command, cwd, this.syntax, { textOf }, named);
  }

  /** The words of a command that does the same to whatever files of the workspace follow them; undefined for any other. */
  onFiles(command: string, world: World, cwd = '.'): string[] | undefined {
    return wordsOnFiles(this.syntax.read(command), (path) => {
      const from = path.startsWith('/') || cwd === '.' ? path : `${cwd}/${path}`;
      return world.textOf(from) !== undefined && this.path('write', from, world).kind === 'allow';
    });
  }

  path(op: PathOperation, path: string, world: World): Verdict {
    return this.bothPlaces(path, world, (place) => judgePath(op, place, world.root));
  }

  /** `before`: what the file has now, undefined where it is not there. */
  write(path: string, content: string, before: string | undefined, world: World): Verdict {
    return this.bothPlaces(path, world, (place) => judgeWrite(place, content, before, world.root));
  }

  /** `hosts`: those of the run, beside the policy's own. */
  url(method: string, url: string): Verdict {
    return judgeUrl(method, url, this.policy);
  }

  /** A path is judged by its name and by the place that the name leads to now. */
  private bothPlaces(path: string, world: World, judge: (place: string) => Verdict): Verdict {
    const byName = judge(path);
    if (byName.kind === 'deny') {
      return byName;
    }
    const place = world.leadsTo(path);
    return place === undefined ? deny('It leads outside the workspace.') : strictest(byName, judge(place || '.'));
  }
}

/** The workspace as the rules see it. */
export interface World {
  /** Absolute, as it is named in what is judged. */
  readonly root: string;
  /** Where a path really leads, from the root; undefined where that is outside. */
  leadsTo(path: string): string | undefined;
  /** What a text file has now; undefined where it is not there, outside, no text or too long to be shown. */
  textOf(path: string): string | undefined;
  /** Whether a file with secrets lies in the folder or below; where nobody can tell, it does. */
  holdsSecrets(folder: string): boolean;
}
