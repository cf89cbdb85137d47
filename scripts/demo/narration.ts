const MIB = 1024 * 1024;

export const inMiB = (bytes: number) => `${(bytes / MIB).toFixed(1)} MiB`;

let number = 0;

/** Begins a step: what it is for, and how it could be typed. */
export function step(title: string, command?: string): void {
  number += 1;
  console.log(`\n${number}. ${title}`);
  if (command !== undefined) console.log(`   $ ${command}`);
}

export const tell = (text: string) => console.log(`   ${text}`);

/** Sends a request; throws with the answer when its status is not the one that the step expects. */
export async function send(
  method: string,
  url: string,
  expected: number,
  init: RequestInit = {},
): Promise<Response> {
  const response = await fetch(url, { ...init, method });
  if (response.status !== expected)
    throw new Error(`${method} ${url}: ${response.status} instead of ${expected}\n${await response.text()}`);
  tell(`→ ${response.status} ${response.statusText}`);
  return response;
}
