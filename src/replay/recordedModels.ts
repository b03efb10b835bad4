/** Models that answer, count and are called what was recorded. */
import type { CallCost } from '../domain/budget.ts';
import { ModelError, type ModelFailureKind } from '../domain/errors.ts';
import type { EventOf, SquadEvent } from '../domain/events.ts';
import type { LanguageModel, LanguageModels, ModelReply } from '../ports.ts';
import { UnrecordedError, worldOf } from './recordedFiles.ts';
import type { Recording, Strand } from './recording.ts';
import type { WaitingRoom } from './waitingRoom.ts';

export function recordedModels(recording: Recording, room: WaitingRoom): LanguageModels {
  return {
    select: (_choice, _signal, purpose) => Promise.resolve(recordedModel(recording, room, purpose?.taskId ?? '')),
  };
}

function recordedModel(recording: Recording, room: WaitingRoom, strand: Strand): LanguageModel {
  const call = callAhead(recording, strand);
  return {
    id: call?.model ?? 'recorded',
    label: 'Recorded',
    maxInputTokens: Number.MAX_SAFE_INTEGER,
    maxOutputTokens: call?.outputTokens ?? 0,
    countTokens: () => Promise.resolve(call?.inputTokens ?? 0),
    ask: async (_request, _onText, signal): Promise<ModelReply> => {
      await worldOf(recording, room, strand, signal);
      const ended = recording.nextAs(strand, 'model-call-ended');
      if (ended) {
        return { answer: ended.answer, usage: ended.usage };
      }
      const failed = recording.nextAs(strand, 'model-call-failed');
      if (!failed) {
        throw new UnrecordedError('The record has no answer to this call.');
      }
      // One of our kinds, or of a failure that was none of the provider's. Whatever was tried then came to this.
      throw new ModelError(failed.kind as ModelFailureKind, failed.message, { isFinal: true });
    },
  };
}

/** What the strand's next call might come to, as it was said when it began, stood still or was refused. */
function callAhead(recording: Recording, strand: Strand): CallCost | undefined {
  const found = recording.ahead(strand, isSaid);
  switch (found?.type) {
    case 'model-call-started': {
      // Of a record without that part, all of it can stand for the prompt.
      const { model, reservedTokens, reservedOutputTokens: outputTokens = 0 } = found;
      return { model, inputTokens: reservedTokens - outputTokens, outputTokens };
    }
    case 'model-call-held':
      return found.cost;
    case 'budget-reached':
      return (
        found.cost ?? {
          model: 'recorded',
          inputTokens: Number(/may need (\d+)/.exec(found.message)?.[1] ?? 0),
          outputTokens: 0,
        }
      );
    case 'request-opened':
      return found.request.subject.kind === 'raise' ? found.request.subject.cost : undefined;
    case undefined:
      return undefined;
  }
}

function isSaid(
  event: SquadEvent,
): event is EventOf<'model-call-started' | 'model-call-held' | 'budget-reached' | 'request-opened'> {
  return (
    event.type === 'model-call-started' ||
    event.type === 'model-call-held' ||
    event.type === 'budget-reached' ||
    (event.type === 'request-opened' && event.request.subject.kind === 'raise')
  );
}
