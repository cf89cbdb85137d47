import { createDatabase } from '@glimpse/testing';
import { describeManage } from './manage.conformance.js';
import { describeReconcileCommands } from './reconcile.conformance.js';
import { describeMetadefs } from './metadefs/metadefs.conformance.js';

describeManage('MySQL', createDatabase);
describeMetadefs('MySQL', createDatabase);
describeReconcileCommands('MySQL', createDatabase);
