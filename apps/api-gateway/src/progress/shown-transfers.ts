import { type Transfer, isOver } from '@glimpse/contracts';

/** The transfers that one stream shows, as they were shown last. */
export class ShownTransfers {
  private readonly byId = new Map<string, Transfer>();
  private hasSeenEnd = false;

  /** `countsEnds`: also what has ended before the first list has ended before the client's eyes. */
  constructor(private countsEnds: boolean) {}

  has(id: string): boolean {
    return this.byId.has(id);
  }

  /** Whether some transfer has come to its end before the client's eyes. */
  get anyEnded(): boolean {
    return this.hasSeenEnd;
  }

  /** Whether the transfer is to be shown: it is news. */
  take(transfer: Transfer): boolean {
    const shown = this.byId.get(transfer.id);
    if (shown !== undefined && (isSame(shown, transfer) || isBehind(shown, transfer))) return false;
    this.byId.set(transfer.id, transfer);
    if (isEnd(transfer) && this.countsEnds) this.hasSeenEnd = true;
    return true;
  }

  /** As `take`, of all that there are: the others are forgotten. Answers with those that are to be shown. */
  takeAll(transfers: readonly Transfer[]): Transfer[] {
    const news = transfers.filter((transfer) => this.take(transfer));
    const ids = new Set(transfers.map(({ id }) => id));
    for (const [id, shown] of this.byId) {
      if (ids.has(id)) continue;
      this.byId.delete(id);
      // Its end was missed.
      if (!isOver(shown) && shown.kind !== 'delete-data') this.hasSeenEnd = true;
    }
    this.countsEnds = true;
    return news;
  }

  /** Whether something goes on but the removal of data, which nobody waits for. */
  get isBusy(): boolean {
    return [...this.byId.values()].some((transfer) => !isOver(transfer) && transfer.kind !== 'delete-data');
  }
}

const isEnd = (transfer: Transfer) => isOver(transfer) && transfer.kind !== 'delete-data';

const isSame = (one: Transfer, other: Transfer) => JSON.stringify(one) === JSON.stringify(other);

/** News that were overtaken: what has ended begins anew only later, by the operator's command. */
const isBehind = (shown: Transfer, transfer: Transfer) =>
  isOver(shown) && !isOver(transfer) && transfer.updatedAt <= shown.updatedAt;
