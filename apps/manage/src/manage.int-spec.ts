import { createDatabase } from '@glimpse/testing';
import { describeManage } from './manage.conformance.js';

describeManage('MySQL', createDatabase);
