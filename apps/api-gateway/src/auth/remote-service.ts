/** Where in a cloud a service is wanted. */
export interface ServicePlace {
  readonly region: string;
  readonly interface: 'public' | 'internal' | 'admin';
}

/** An image service of another region, and what it knows the caller by. */
export interface RemoteService {
  /** Without a version, and without a slash at its end. */
  readonly url: string;
  readonly token: string;
}

/** The endpoint of a catalogue as a base: some name the version of the API, others don't. */
export const baseOfEndpoint = (url: string): string => url.replace(/\/+$/, '').replace(/\/v2(\.\d+)?$/, '');
