/** The models that any Node process can reach; a host adds its own door. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { HumanError, messageOf, UsageError } from '../domain/errors.ts';
import type { RunOptions } from '../domain/run.ts';
import { OpenAiModel } from '../llm/openaiModel.ts';
import { OPENAI_URL } from '../llm/openaiUrl.ts';
import { chooseRehearsal, loadRehearsals } from '../llm/rehearsal.ts';
import { RehearsalModel } from '../llm/rehearsalModel.ts';
import type { LanguageModel, LanguageModels } from '../ports.ts';
import { systemClock } from './clock.ts';

export interface HostModelsOptions {
  /** Folder `media` of this installation. */
  readonly media: string;
  /** The key of the OpenAI-compatible door; local servers need none. */
  readonly apiKey: () => Promise<string | undefined>;
  /** Pause before each few words of a rehearsal, so that people can follow. */
  readonly rehearsalPauseMs?: number;
  /** A model of the editor this host lives in. */
  readonly editorModel?: (name: string | undefined, signal: AbortSignal) => Promise<LanguageModel>;
}

export class HostModels implements LanguageModels {
  private readonly options: HostModelsOptions;

  constructor(options: HostModelsOptions) {
    this.options = options;
  }

  async select(choice: RunOptions['model'], signal: AbortSignal): Promise<LanguageModel> {
    switch (choice.door) {
      case 'rehearsal': {
        const pauseMs = this.options.rehearsalPauseMs ?? 0;
        const rehearsal = chooseRehearsal(await this.rehearsals(), { name: choice.name });
        return new RehearsalModel(rehearsal, { clock: systemClock, pauseMs });
      }
      case 'openai': {
        const { baseUrl = OPENAI_URL, name = '' } = choice;
        const apiKey = await this.options.apiKey();
        return new OpenAiModel({ baseUrl, model: name, clock: systemClock, apiKey });
      }
      case 'editor':
        if (!this.options.editorModel) {
          throw new HumanError('This run uses a model of VS Code; resume it there.');
        }
        return this.options.editorModel(choice.name, signal);
    }
  }

  /** The rehearsal of an objective; without one the first. Throws a UsageError with the list when none knows it. */
  async rehearsalFor(objective: string | undefined): Promise<{ name: string; objective: string }> {
    try {
      return chooseRehearsal(await this.rehearsals(), { objective });
    } catch (error) {
      throw new UsageError(messageOf(error), { cause: error });
    }
  }

  /** Objectives that a rehearsal knows, the first one best. */
  async rehearsalObjectives(): Promise<string[]> {
    return (await this.rehearsals()).map(({ objective }) => objective);
  }

  private rehearsals(): ReturnType<typeof loadRehearsals> {
    return loadRehearsals((file) => readFile(path.join(this.options.media, 'rehearsals', file), 'utf8'));
  }
}
