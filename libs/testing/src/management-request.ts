/** A request to RabbitMQ's management API, whose URL holds the credentials. Rejects unless it is answered well. */
export async function managementRequest(
  managementUrl: string,
  method: string,
  path: string,
  body?: object,
): Promise<Response> {
  const { origin, username, password } = new URL(managementUrl);
  const response = await fetch(`${origin}/api/${path}`, {
    method,
    headers: {
      authorization: `Basic ${btoa(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`)}`,
      'content-type': 'application/json',
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  if (!response.ok) throw new Error(`RabbitMQ: ${method} ${path} was answered with ${response.status}`);
  return response;
}
