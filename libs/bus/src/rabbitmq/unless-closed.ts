import { IllegalOperationError } from 'amqplib';

/**
 * Uses a channel that may have been closed meanwhile: then the broker has taken back what was delivered on it, and
 * there is nobody to answer to.
 */
export function unlessClosed(use: () => void): void {
  try {
    use();
  } catch (error) {
    if (!(error instanceof IllegalOperationError)) throw error;
  }
}
