/** A server that speaks S3, private to this working copy. Its URL names the keys that requests are signed with. */
export interface S3Server {
  readonly name: string;
  /** Whether it is here or can be installed. */
  canRun(): boolean;
  /** Where it runs; undefined when it does not. */
  find(): string | undefined;
  /** Starts it where it does not run yet, and resolves with the URL once it keeps what it is given. */
  start(): Promise<string>;
  /** Ends it. Its data stays for the next start. */
  stop(): Promise<void>;
}
