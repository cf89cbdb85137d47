import { createDatabase } from '@glimpse/testing';
import { describeRegistry } from './registry.conformance.js';

describeRegistry('MySQL', createDatabase);
