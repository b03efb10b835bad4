/** Models that answer, count and are called what was recorded. */
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
  const isCall = (event: SquadEvent): event is EventOf<'model-call-started'> => event.type === 'model-call-started';
  const call = recording.ahead(strand, isCall);
  return {
    id: call?.model ?? 'recorded',
    label: 'Recorded',
    maxInputTokens: Number.MAX_SAFE_INTEGER,
    // The reservation is the prompt's count and this; so the count alone can stand for both.
    maxOutputTokens: 0,
    countTokens: () => Promise.resolve(call?.reservedTokens ?? refusedTokens(recording, strand)),
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

/** What the call would have cost that the budget refused; its sentence says it. */
function refusedTokens(recording: Recording, strand: Strand): number {
  const message = recording.nextAs(strand, 'budget-reached')?.message ?? '';
  return Number(/may need (\d+)/.exec(message)?.[1] ?? 0);
}
