import { Injectable } from '@nestjs/common';
import { OutboxSignal } from '../outbox/outbox-signal.js';

/** As `OutboxSignal`, for the relay of notifications. */
@Injectable()
export class NotificationSignal extends OutboxSignal {}
