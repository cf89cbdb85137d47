import type { NotificationType } from '@glimpse/contracts';

/** A notification that is to be sent: what Glance's notifier is told. */
export interface Notice {
  readonly type: NotificationType;
  readonly priority: 'INFO' | 'ERROR';
  /** In the words of Glance's payloads; a text where an upload failed. */
  readonly payload: object | string;
}

/** One of the usual kind. */
export const info = (type: NotificationType, payload: object): Notice => ({
  type,
  priority: 'INFO',
  payload,
});
