import { acceptedTypes } from './accept.js';

export interface ErrorBody {
  readonly contentType: string;
  readonly body: string;
}

/** The classic reason phrases, which some clients show: they differ from Node's where the RFC was renamed. */
const reasons: Readonly<Record<number, string>> = {
  300: 'Multiple Choices',
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  408: 'Request Timeout',
  409: 'Conflict',
  410: 'Gone',
  413: 'Request Entity Too Large',
  415: 'Unsupported Media Type',
  416: 'Request Range Not Satisfiable',
  429: 'Too Many Requests',
  431: 'Request Header Fields Too Large',
  500: 'Internal Server Error',
  501: 'Not Implemented',
  503: 'Service Unavailable',
};

export const reasonPhrase = (status: number): string => reasons[status] ?? 'Error';

const escapeHtml = (text: string): string =>
  text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#x27;');

const stripTags = (text: string): string =>
  text
    .replaceAll('\n', ' ')
    .replaceAll('\r', '')
    .replace(/<!--|-->/g, '')
    .replace(/<[^>]*>/g, '');

/** An error in the form that the Accept header asks for, as clients of Glance know it (they strip the HTML). */
export function renderError(accept: string | undefined, status: number, explanation: string): ErrorBody {
  const title = reasonPhrase(status);
  const statusLine = `${status} ${title}`;
  const [type] = acceptedTypes(accept, ['text/html', 'application/json']);
  if (type === 'application/json')
    return {
      contentType: 'application/json',
      body: JSON.stringify({ message: `${explanation}<br /><br />\n\n\n`, code: statusLine, title }),
    };
  if (type === 'text/html')
    return {
      contentType: 'text/html; charset=UTF-8',
      body: `<html>\n <head>\n  <title>${statusLine}</title>\n </head>\n <body>\n  <h1>${statusLine}</h1>\n  ${escapeHtml(explanation)}<br /><br />\n\n\n\n </body>\n</html>`,
    };
  return {
    contentType: 'text/plain; charset=UTF-8',
    body: `${statusLine}\n\n${stripTags(explanation)}\n\n   `,
  };
}
