const ISO_TIME =
  /^(\d{4})-?(\d{2})(?:-?(\d{2})(?:[T ](\d{2})(?::?(\d{2})(?::?(\d{2})(?:[.,]\d+)?)?)?(Z|[+-]\d{2}(?::?\d{2})?)?)?)?$/i;

function offsetMinutes(zone: string | undefined): number {
  if (zone === undefined || zone.toUpperCase() === 'Z') return 0;
  const minutes = Number(zone.slice(1, 3)) * 60 + Number(zone.slice(3).replace(':', '') || 0);
  return zone.startsWith('-') ? -minutes : minutes;
}

/** An ISO 8601 time as UTC in whole seconds, `YYYY-MM-DDTHH:MM:SSZ`; null when it is none. Without a zone it is UTC. */
export function parseIsoTime(text: string): string | null {
  const parts = ISO_TIME.exec(text.trim());
  if (parts === null) return null;
  const [year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0] = parts
    .slice(1, 7)
    .map((part: string | undefined) => (part === undefined ? undefined : Number(part)));
  const local = new Date(Date.UTC(year, month - 1, day, hour, minute, second));
  // Date rolls 31 February over; a date that doesn't exist is no date.
  const isReal =
    local.getUTCFullYear() === year &&
    local.getUTCMonth() + 1 === month &&
    local.getUTCDate() === day &&
    local.getUTCHours() === hour &&
    local.getUTCMinutes() === minute;
  if (!isReal) return null;
  const utc = new Date(local.getTime() - offsetMinutes(parts[7]) * 60_000);
  return `${utc.toISOString().slice(0, 19)}Z`;
}
