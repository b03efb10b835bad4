/**
 * Links from outside (`vscode://vibe-devsquad.devsquad/run?objective=…`). One is shown whole and does nothing until a person
 * confirms it there; then it is the command *Start a Run…* with these words.
 */
import * as vscode from 'vscode';
import { quotedLines, visibleText } from '../base/visibleText.ts';
import { approvalScopeSchema } from '../domain/approval.ts';
import { HumanError } from '../domain/errors.ts';
import type { Logger } from '../ports.ts';
import { tell } from './commands.ts';
import type { EditorSquad } from './editorSquad.ts';

/** A page that opens links as fast as they are closed leaves the person this long to get at it. */
const QUIET_MS = 3_000;

export class Links implements vscode.UriHandler, vscode.Disposable {
  private readonly squad: EditorSquad;
  private readonly logger: Logger;
  private readonly registered: vscode.Disposable;
  private quiet: NodeJS.Timeout | undefined;
  private isBusy = false;

  constructor(squad: EditorSquad, logger: Logger) {
    this.squad = squad;
    this.logger = logger;
    this.registered = vscode.window.registerUriHandler(this);
  }

  /** At most one link is before the person; others that come meanwhile, or right behind it, are left alone. */
  async handleUri(uri: vscode.Uri): Promise<void> {
    if (this.isBusy) {
      this.logger.warn('A link was left alone: another one had just come.');
      return;
    }
    this.isBusy = true;
    let objective: string | undefined;
    try {
      objective = await this.confirmedObjective(uri);
    } catch (error) {
      tell(error, this.logger);
    } finally {
      this.quiet = setTimeout(() => {
        this.isBusy = false;
      }, QUIET_MS);
    }
    if (objective !== undefined) {
      // Whoever let the plan go ahead unseen meant objectives of their own.
      const approve = approvalScopeSchema.options.filter((scope) => scope !== 'plan');
      // Why it did not start, the command tells by itself.
      await vscode.commands
        .executeCommand('devsquad.startRun', { objective, approve })
        .then(undefined, () => undefined);
    }
  }

  dispose(): void {
    clearTimeout(this.quiet);
    this.registered.dispose();
  }

  private async confirmedObjective(uri: vscode.Uri): Promise<string | undefined> {
    const { judgeLink } = await import('../guardrails/linkRules.ts');
    const verdict = judgeLink(uri);
    if (verdict.kind === 'deny') {
      throw new HumanError(verdict.reason);
    }
    // Before anything is asked that would be in vain.
    const folders = this.squad.usableFolders().map(({ name }) => `“${visibleText(name)}”`);
    const { shown, objective } = verdict;
    const START = 'Start the Run';
    const detail = [
      `Its words, which are not yours, for a team at work on ${folders.join(' or ')}:`,
      quotedLines(shown),
      ...(shown === objective ? [] : ['⟨U+…⟩ stands for a character that nobody sees.']),
      'You see the plan before anything is written. The link decides nothing else: model, budget and rights are as you set them.',
    ];
    const clicked = await vscode.window.showWarningMessage(
      'A link asks to start a run',
      { modal: true, detail: detail.join('\n\n') },
      START,
    );
    return clicked === START ? objective : undefined;
  }
}
