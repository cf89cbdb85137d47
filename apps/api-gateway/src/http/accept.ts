interface MediaRange {
  readonly type: string;
  readonly subtype: string;
  readonly quality: number;
}

const TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
const RANGE = new RegExp(
  `^(${TOKEN})/(${TOKEN})((?:\\s*;\\s*${TOKEN}=(?:${TOKEN}|"(?:[^"\\\\]|\\\\.)*"))*)$`,
);
const QUALITY = /;\s*q=([0-9.]+)/i;

/** The ranges of an Accept header without those that carry parameters (they match none of ours); null if malformed. */
function parseRanges(accept: string): MediaRange[] | null {
  const ranges: MediaRange[] = [];
  for (const part of accept.split(',')) {
    const text = part.trim();
    if (text === '') continue;
    const [, type, subtype, parameters] = RANGE.exec(text) ?? [];
    if (type === undefined || subtype === undefined) return null;
    const quality = QUALITY.exec(parameters ?? '');
    const hasOthers = (parameters ?? '').replace(QUALITY, '').trim() !== '';
    if (hasOthers) continue;
    ranges.push({
      type: type.toLowerCase(),
      subtype: subtype.toLowerCase(),
      quality: quality === null ? 1 : Number(quality[1]),
    });
  }
  return ranges;
}

function qualityOf(offer: string, ranges: readonly MediaRange[]): number {
  const [type, subtype] = offer.split('/');
  const exact = ranges.find((range) => range.type === type && range.subtype === subtype);
  const family = ranges.find((range) => range.type === type && range.subtype === '*');
  const any = ranges.find((range) => range.type === '*' && range.subtype === '*');
  return (exact ?? family ?? any)?.quality ?? 0;
}

/**
 * Those of `offers` that the Accept header takes, best first; of equals the earlier offer. An absent or empty header
 * takes none of them, a malformed one all (as WebOb has it, on which Glance's clients rely).
 */
export function acceptedTypes(accept: string | undefined, offers: readonly string[]): string[] {
  const ranges = parseRanges(accept ?? '');
  if (ranges === null) return [...offers];
  return offers
    .map((offer) => ({ offer, quality: qualityOf(offer, ranges) }))
    .filter(({ quality }) => quality > 0)
    .toSorted((a, b) => b.quality - a.quality)
    .map(({ offer }) => offer);
}
