import { STATUS_CODES } from 'node:http';
import { acceptedTypes } from './accept.js';

export interface ErrorBody {
  readonly contentType: string;
  readonly body: string;
}

/** The classic reason phrases, which some clients show, where Node has those of newer RFCs. */
const reasons: Readonly<Record<number, string>> = {
  413: 'Request Entity Too Large',
  416: 'Request Range Not Satisfiable',
};

const reasonPhrase = (status: number): string => reasons[status] ?? STATUS_CODES[status] ?? 'Error';

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
