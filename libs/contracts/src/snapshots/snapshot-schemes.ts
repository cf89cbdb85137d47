/** The schemes of URIs that disks of servers are read by: `nbds` is NBD with TLS, `+unix` over a local socket. */
export const snapshotSchemes: readonly string[] = [
  'file',
  'http',
  'https',
  'nbd',
  'nbds',
  'nbd+unix',
  'nbds+unix',
];
