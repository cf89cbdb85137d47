import { RuleSyntaxError } from './expression.js';

/** Reads a text from its start to its end. */
export class Scanner {
  private position = 0;

  constructor(private readonly text: string) {}

  get at(): number {
    return this.position;
  }

  get isAtEnd(): boolean {
    return this.position >= this.text.length;
  }

  /** The next character; empty at the end. */
  peek(): string {
    return this.text.charAt(this.position);
  }

  /** Reads what matches `pattern` (sticky) from here on; empty where nothing does. */
  read(pattern: RegExp): string {
    pattern.lastIndex = this.position;
    const found = pattern.exec(this.text)?.[0] ?? '';
    this.position += found.length;
    return found;
  }

  /** Reads `expected` where it comes next. */
  skip(expected: string): boolean {
    if (!this.text.startsWith(expected, this.position)) return false;
    this.position += expected.length;
    return true;
  }

  fail(reason: string, at = this.position): never {
    throw new RuleSyntaxError(reason, at);
  }
}
