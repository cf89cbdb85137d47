import type { DescribeRoutes } from './route-description.js';
import { describeHealth } from '../http/health.openapi.js';

/** Every area of the API; each describes its routes beside its controllers. */
export const areas: readonly DescribeRoutes[] = [describeHealth];
