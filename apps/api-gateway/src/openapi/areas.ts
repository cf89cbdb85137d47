import { describeActions } from '../actions/actions.openapi.js';
import { describeCache } from '../cache/cache.openapi.js';
import { describeDiscovery } from '../discovery/discovery.openapi.js';
import { describeHealth } from '../http/health.openapi.js';
import { describeImageData } from '../image-data/image-data.openapi.js';
import { describeImages } from '../images/images.openapi.js';
import { describeSchemas } from '../images/schemas.openapi.js';
import { describeImports } from '../imports/imports.openapi.js';
import { describeLocations } from '../locations/locations.openapi.js';
import { describeMembers } from '../members/members.openapi.js';
import { describeMetadefs } from '../metadefs/metadefs.openapi.js';
import { describeProgress } from '../progress/progress.openapi.js';
import { describeStores } from '../stores/stores.openapi.js';
import { describeTasks } from '../tasks/tasks.openapi.js';
import { describeTags } from '../tags/tags.openapi.js';
import { describeUsage } from '../usage/usage.openapi.js';
import { describeVerification } from '../verification/verification.openapi.js';
import { describeWebhooks } from '../webhooks/webhooks.openapi.js';
import { describeOpenApi } from './openapi.openapi.js';
import type { DescribeRoutes } from './route-description.js';

/** Every area of the API; each describes its routes beside its controllers. */
export const areas: readonly DescribeRoutes[] = [
  describeDiscovery,
  describeImages,
  describeImageData,
  describeTags,
  describeMembers,
  describeActions,
  describeUsage,
  describeVerification,
  describeLocations,
  describeStores,
  describeImports,
  describeTasks,
  describeProgress,
  describeWebhooks,
  describeCache,
  describeMetadefs,
  describeSchemas,
  describeHealth,
  describeOpenApi,
];
