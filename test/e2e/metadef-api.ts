import { type Glimpse, type HttpAnswer, ImageApi } from '@glimpse/testing';

export type Document = Readonly<Record<string, unknown>>;

export interface Answer<T = Document> {
  readonly status: number;
  readonly document: T;
  readonly raw: HttpAnswer;
}

/** Somebody who calls the metadefs API. */
export class MetadefCaller {
  private readonly api: ImageApi;

  constructor(glimpse: () => Glimpse, projectId: string, roles: string) {
    this.api = new ImageApi(() => glimpse().url, {
      'x-identity-status': 'Confirmed',
      'x-user-id': 'u1',
      'x-project-id': projectId,
      'x-roles': roles,
    });
  }

  /** Any request below `/v2`; resolves whatever the answer is. */
  async send(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answer> {
    const raw = await this.api.send(method, `/v2${path}`, {
      headers,
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const isJson = raw.headers.get('content-type') === 'application/json';
    return { status: raw.status, document: isJson ? (JSON.parse(raw.text) as Document) : {}, raw };
  }

  async status(method: string, path: string, body?: unknown): Promise<number> {
    return (await this.send(method, path, body)).status;
  }

  /** A request that succeeds: rejects with what was answered when it does not. */
  async do(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Document> {
    const { status, document, raw } = await this.send(method, path, body, headers);
    if (status >= 300) throw new Error(`${method} ${path}: ${status}\n${raw.text}`);
    return document;
  }
}

export const NAMESPACES = '/metadefs/namespaces';

/** The path of a namespace, or of what is in it. */
export const pathOf = (...names: string[]): string =>
  [NAMESPACES, ...names.map(encodeURIComponent)].join('/');

/** Those who take part, each with a project of their own but for the reader, who shares the member's. */
export const people = (glimpse: () => Glimpse) => ({
  admin: new MetadefCaller(glimpse, 'admin', 'admin,member,reader'),
  member: new MetadefCaller(glimpse, 'p1', 'member,reader'),
  reader: new MetadefCaller(glimpse, 'p1', 'reader'),
  stranger: new MetadefCaller(glimpse, 'p2', 'member,reader'),
  nobody: new MetadefCaller(glimpse, 'p1', 'other'),
});
