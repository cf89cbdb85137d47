import type { ServerResponse } from 'node:http';
import { LiveEvents } from '@glimpse/bus';
import { ServiceError, transferEvents } from '@glimpse/contracts';
import { gauge, metricNames } from '@glimpse/observability';
import { Injectable } from '@nestjs/common';
import { GatewaySettings } from '../gateway-settings.js';
import { EventStream } from './event-stream.js';
import { type Listed, type ProgressSource, ProgressStream } from './progress-stream.js';

const openStreams = gauge({
  name: metricNames.progressStreams,
  help: 'Clients that are being shown the progress of transfers.',
});

/** A place for one stream; `release` it when the stream is over, or was never opened. Repeatable. */
export interface StreamPlace {
  release(): void;
}

/** The open streams of this gateway. It listens to the progress of transfers while there is one. */
@Injectable()
export class ProgressStreams {
  private readonly streams = new Map<ProgressStream, EventStream>();
  private readonly places = new Map<string, number>();
  private taken = 0;
  private stopListening: (() => void) | undefined;
  private isStopping = false;

  constructor(
    private readonly live: LiveEvents,
    private readonly settings: GatewaySettings,
  ) {}

  /** A place for a stream of that caller, or whose streams take all there are: the caller's own, or everybody's. */
  reserve(caller: string): StreamPlace | 'caller' | 'everybody' {
    if (this.isStopping) throw new ServiceError('SERVICE_STOPPING', 'The service is stopping.');
    const { streams, streamsPerCaller } = this.settings.config.progress;
    const own = this.places.get(caller) ?? 0;
    if (own >= streamsPerCaller) return 'caller';
    if (this.taken >= streams) return 'everybody';
    this.places.set(caller, own + 1);
    this.taken += 1;
    // Before the state is read: what is told afterwards is missed by no more than a moment.
    this.stopListening ??= this.listen();
    let isHeld = true;
    return {
      release: () => {
        if (!isHeld) return;
        isHeld = false;
        this.giveBack(caller);
      },
    };
  }

  /** Shows the client the state, and what becomes of it. */
  open(
    response: ServerResponse,
    place: StreamPlace,
    shown: { readonly source: ProgressSource; readonly first: Listed; readonly isResumed: boolean },
  ): void {
    const out = new EventStream(response, () => {
      place.release();
      openStreams.dec();
      stream.close();
      this.streams.delete(stream);
    });
    openStreams.inc();
    const stream = new ProgressStream(out, shown.source, shown.first, shown.isResumed);
    this.streams.set(stream, out);
  }

  /** Ends all streams, whose clients go on with another gateway, and opens no more. */
  close(): void {
    this.isStopping = true;
    for (const [stream, out] of this.streams) {
      stream.close();
      out.end();
    }
  }

  private listen(): () => void {
    return this.live.listen(transferEvents.progressed, ({ payload }) => {
      for (const stream of this.streams.keys()) stream.take(payload);
    });
  }

  private giveBack(caller: string): void {
    this.taken -= 1;
    const left = (this.places.get(caller) ?? 1) - 1;
    if (left === 0) this.places.delete(caller);
    else this.places.set(caller, left);
    if (this.taken > 0) return;
    this.stopListening?.();
    this.stopListening = undefined;
  }
}
