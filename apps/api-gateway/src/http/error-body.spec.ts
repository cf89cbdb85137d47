import { describe, expect, it } from '@jest/globals';
import { renderError } from './error-body.js';

const typeFor = (accept: string | undefined) => renderError(accept, 404, 'gone').contentType;

describe('renderError', () => {
  it.each([
    undefined,
    '',
    'image/png',
    'application/json;charset=utf-8',
    'text/html;q=0',
    'text/html;level=1',
  ])('is plain text for Accept %j', (accept) => {
    expect(typeFor(accept)).toBe('text/plain; charset=UTF-8');
  });

  it.each([
    '*/*',
    'text/*',
    'text/html',
    'application/json, */*',
    '???',
    'TEXT/HTML',
    'application/json;q=0.5, text/html',
  ])('is HTML for Accept %j', (accept) => {
    expect(typeFor(accept)).toBe('text/html; charset=UTF-8');
  });

  it.each([
    'application/json',
    'application/*',
    'application/json, text/html;q=0.5',
    'application/json;q=0.1',
  ])('is JSON for Accept %j', (accept) => {
    expect(typeFor(accept)).toBe('application/json');
  });

  it('has the members that clients read in JSON', () => {
    const { body } = renderError('application/json', 413, 'too much');

    expect(JSON.parse(body)).toEqual({
      message: 'too much<br /><br />\n\n\n',
      code: '413 Request Entity Too Large',
      title: 'Request Entity Too Large',
    });
  });

  it.each([
    [412, '412 Precondition Failed'],
    [416, '416 Request Range Not Satisfiable'],
    [504, '504 Gateway Timeout'],
  ])('names the status %i', (status, line) => {
    expect(renderError('', status, 'no').body).toBe(`${line}\n\nno\n\n   `);
  });

  it('strips tags and joins lines in plain text', () => {
    expect(renderError('', 404, 'no <b>image</b>\nhere').body).toBe('404 Not Found\n\nno image here\n\n   ');
  });

  it('escapes what a user sent in HTML', () => {
    expect(renderError('*/*', 404, `<script>"&'</script>`).body).toContain(
      '<h1>404 Not Found</h1>\n  &lt;script&gt;&quot;&amp;&#x27;&lt;/script&gt;<br /><br />',
    );
  });
});
