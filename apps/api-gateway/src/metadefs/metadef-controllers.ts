import { MetadefNamespacesController } from './metadef-namespaces.controller.js';
import { MetadefObjectsController } from './metadef-objects.controller.js';
import { MetadefPropertiesController } from './metadef-properties.controller.js';
import { MetadefResourceTypesController } from './metadef-resource-types.controller.js';
import { MetadefSchemasController } from './metadef-schemas.controller.js';
import { MetadefTagsController } from './metadef-tags.controller.js';

/** What the module of the gateway lists of metadata definitions. */
export const metadefControllers = [
  MetadefNamespacesController,
  MetadefResourceTypesController,
  MetadefPropertiesController,
  MetadefObjectsController,
  MetadefTagsController,
  MetadefSchemasController,
];
