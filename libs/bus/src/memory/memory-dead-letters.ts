import type { DeadLetter, DeadLetterSelection, DeadLetters, Replay } from '../dead-letters.js';
import type { MemoryBroker } from './memory-broker.js';

export class MemoryDeadLetters implements DeadLetters {
  constructor(private readonly broker: MemoryBroker) {}

  list(limit: number): Promise<DeadLetter[]> {
    return Promise.resolve(this.broker.deadLetters.slice(0, limit).map((letter) => ({ ...letter })));
  }

  replay(selection: DeadLetterSelection): Promise<Replay> {
    const isMeant = ({ id }: DeadLetter) => selection === 'all' || selection.ids.includes(id);
    const letters = this.broker.deadLetters;
    this.broker.deadLetters = letters.filter((letter) => !isMeant(letter));
    const replayed = letters.filter(isMeant);
    for (const { queue, body } of replayed) this.broker.declare(queue).push({ body });
    return Promise.resolve({ replayed: replayed.length, left: [] });
  }
}
