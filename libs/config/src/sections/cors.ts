import { z } from 'zod';
import { flag, wholeNumber, words } from '../option-types.js';

/** Which pages of other origins a browser lets use the API. */
export const cors = z
  .strictObject({
    allowedOrigins: words()
      .refine(
        (origins) =>
          origins.every(
            (origin) => origin === '*' || (URL.canParse(origin) && new URL(origin).origin === origin),
          ),
        'must be origins as browsers write them (https://dashboard.example.com), or *',
      )
      .default([])
      .describe('Origins whose pages may use the API, e.g. `https://dashboard.example.com`; `*` for all.'),
    allowCredentials: flag()
      .default(true)
      .describe('Let browsers send cookies and TLS certificates along; never for origins allowed by `*`.'),
    maxAgeSeconds: wholeNumber(0)
      .default(3600)
      .describe('How long a browser may keep the answer to a preflight request, in seconds; 0: not said.'),
    allowMethods: words()
      .default(['GET', 'HEAD', 'PUT', 'POST', 'DELETE', 'PATCH'])
      .describe('Methods that such pages may use.'),
    allowHeaders: words()
      .default([
        'Content-MD5',
        'X-Image-Meta-Checksum',
        'X-Storage-Token',
        'Accept-Encoding',
        'X-Auth-Token',
        'X-Identity-Status',
        'X-Roles',
        'X-Service-Catalog',
        'X-User-Id',
        'X-Tenant-Id',
        'X-OpenStack-Request-ID',
        'Authorization',
        'X-Project-Id',
        'X-Image-Meta-Store',
        'X-OpenStack-Image-Size',
        'Range',
        'If-Match',
        'If-None-Match',
      ])
      .describe('Headers that such pages may send, beside the harmless ones.'),
    exposeHeaders: words()
      .default([
        'X-Image-Meta-Checksum',
        'X-Auth-Token',
        'X-Subject-Token',
        'X-Service-Token',
        'X-OpenStack-Request-ID',
        'Content-MD5',
        'Content-Range',
        'ETag',
        'Location',
        'OpenStack-image-import-methods',
        'OpenStack-image-store-ids',
        'RateLimit-Limit',
        'RateLimit-Remaining',
        'RateLimit-Reset',
        'Retry-After',
        'WWW-Authenticate',
      ])
      .describe('Headers of answers that such pages may read.'),
  })
  .prefault({});
