/** Where a client of OpenStack is to get a token. */
export const keystoneChallenge = (uri: string): string => `Keystone uri="${uri}"`;
