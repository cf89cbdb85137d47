import { MetadefAccess } from './metadef-access.js';
import { MetadefNamespaceListService } from './metadef-namespace-list.service.js';
import { MetadefNamespacesRpc } from './metadef-namespaces.rpc.js';
import { MetadefNamespacesService } from './metadef-namespaces.service.js';
import { MetadefObjectsRpc } from './metadef-objects.rpc.js';
import { MetadefObjectsService } from './metadef-objects.service.js';
import { MetadefPropertiesRpc } from './metadef-properties.rpc.js';
import { MetadefPropertiesService } from './metadef-properties.service.js';
import { MetadefResourceTypesRpc } from './metadef-resource-types.rpc.js';
import { MetadefResourceTypesService } from './metadef-resource-types.service.js';
import { MetadefTagsRpc } from './metadef-tags.rpc.js';
import { MetadefTagsService } from './metadef-tags.service.js';

/** What the module of the registry lists of metadata definitions. */
export const metadefControllers = [
  MetadefNamespacesRpc,
  MetadefResourceTypesRpc,
  MetadefPropertiesRpc,
  MetadefObjectsRpc,
  MetadefTagsRpc,
];
export const metadefProviders = [
  MetadefAccess,
  MetadefNamespacesService,
  MetadefNamespaceListService,
  MetadefResourceTypesService,
  MetadefPropertiesService,
  MetadefObjectsService,
  MetadefTagsService,
];
