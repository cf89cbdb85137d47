import { describeDiscovery } from '../discovery/discovery.openapi.js';
import { describeHealth } from '../http/health.openapi.js';
import { describeImageData } from '../image-data/image-data.openapi.js';
import { describeImages } from '../images/images.openapi.js';
import { describeSchemas } from '../images/schemas.openapi.js';
import { describeTags } from '../tags/tags.openapi.js';
import { describeOpenApi } from './openapi.openapi.js';
import type { DescribeRoutes } from './route-description.js';

/** Every area of the API; each describes its routes beside its controllers. */
export const areas: readonly DescribeRoutes[] = [
  describeDiscovery,
  describeImages,
  describeImageData,
  describeTags,
  describeSchemas,
  describeHealth,
  describeOpenApi,
];
