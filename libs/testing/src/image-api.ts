import { type HttpAnswer, type HttpRequest, type RequestBody, request } from './http-client.js';

/** An image as the API shows it. */
export type ImageDocument = { readonly id: string; readonly status: string } & Readonly<
  Record<string, unknown>
>;

const JSON_TYPE = { 'content-type': 'application/json' };

/** A client of the Image API that says what it expected when the answer is another one. */
export class ImageApi {
  constructor(
    private readonly url: () => string,
    private readonly headers: Readonly<Record<string, string>> = {},
  ) {}

  /** Any request; resolves with the answer whatever its status. */
  send(method: string, path: string, options: HttpRequest = {}): Promise<HttpAnswer> {
    return request(method, `${this.url()}${path}`, {
      ...options,
      headers: { ...this.headers, ...options.headers },
    });
  }

  /** Creates an image: by default raw, bare and named `test`. */
  async create(attributes: object = {}): Promise<ImageDocument> {
    const body = JSON.stringify({
      name: 'test',
      disk_format: 'raw',
      container_format: 'bare',
      ...attributes,
    });
    return documentOf(await this.expect(201, 'POST', '/v2/images', { headers: JSON_TYPE, body }));
  }

  async show(id: string): Promise<ImageDocument> {
    return documentOf(await this.expect(200, 'GET', `/v2/images/${id}`));
  }

  /** The images of one page; `query` without the question mark. */
  async list(query = ''): Promise<ImageDocument[]> {
    const { text } = await this.expect(200, 'GET', `/v2/images?${query}`);
    return (JSON.parse(text) as { images: ImageDocument[] }).images;
  }

  async upload(id: string, body: RequestBody): Promise<void> {
    const headers = { 'content-type': 'application/octet-stream' };
    await this.expect(204, 'PUT', `/v2/images/${id}/file`, { headers, body });
  }

  async download(id: string): Promise<Buffer> {
    return (await this.expect(200, 'GET', `/v2/images/${id}/file`)).body;
  }

  async delete(id: string): Promise<void> {
    await this.expect(204, 'DELETE', `/v2/images/${id}`);
  }

  /** Sends a request and rejects, with what was answered, when the status is not `status`. */
  async expect(status: number, method: string, path: string, options: HttpRequest = {}): Promise<HttpAnswer> {
    const answer = await this.send(method, path, options);
    if (answer.status !== status)
      throw new Error(`${method} ${path}: ${answer.status} instead of ${status}\n${answer.text}`);
    return answer;
  }
}

const documentOf = (answer: HttpAnswer) => JSON.parse(answer.text) as ImageDocument;
