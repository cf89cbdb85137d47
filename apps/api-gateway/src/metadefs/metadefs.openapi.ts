import {
  MetadefAssociationDocument,
  MetadefNamespaceDocument,
  MetadefObjectDocument,
  MetadefPropertyDocument,
  MetadefPropertyMap,
  MetadefTagDocument,
  MetadefTagsDocument,
  metadefNamespaceSortKeys,
  metadefTagSortKeys,
  metadefVisibilities,
} from '@glimpse/contracts';
import { z } from 'zod';
import {
  type DescribeRoutes,
  type RouteDescription,
  type RouteParameter,
  empty,
  json,
} from '../openapi/route-description.js';
import { publishedMetadefSchemas } from './published-metadef-schemas.js';

const tag = 'Metadata definitions';
const NAMESPACES = '/v2/metadefs/namespaces';
const IN = `${NAMESPACES}/:namespace`;

const Namespace = MetadefNamespaceDocument.meta({ id: 'MetadefNamespace' });
const Association = MetadefAssociationDocument.meta({ id: 'MetadefAssociation' });
const Property = MetadefPropertyDocument.meta({ id: 'MetadefProperty' });
const MetadefObject = MetadefObjectDocument.meta({ id: 'MetadefObject' });
const Tag = MetadefTagDocument.meta({ id: 'MetadefTag' });
const Tags = MetadefTagsDocument.meta({ id: 'MetadefTags' });
const NamespacePage = z
  .object({
    namespaces: z.array(Namespace),
    first: z.string(),
    next: z.string().optional(),
    schema: z.string(),
  })
  .meta({ id: 'MetadefNamespacePage' });
const ResourceTypes = z
  .object({
    resource_types: z.array(z.object({ name: z.string(), created_at: z.string(), updated_at: z.string() })),
  })
  .meta({ id: 'MetadefResourceTypes' });
const Associations = z
  .object({ resource_type_associations: z.array(Association) })
  .meta({ id: 'MetadefAssociations' });
const Properties = z.object({ properties: MetadefPropertyMap }).meta({ id: 'MetadefProperties' });
const Objects = z
  .object({ objects: z.array(MetadefObject), schema: z.string() })
  .meta({ id: 'MetadefObjects' });

const query = (name: string, description: string, schema?: z.ZodType): RouteParameter => ({
  in: 'query',
  name,
  description,
  ...(schema === undefined ? {} : { schema }),
});
const path = (name: string, description: string): RouteParameter => ({ in: 'path', name, description });

const namespace = path('namespace', 'The name of the namespace; a slash in it is sent as `%2F`.');
const direction = query('sort_dir', 'In which direction; `desc` by default.', z.enum(['asc', 'desc']));
const marker = query('marker', 'The name of the last one of the page before.');
const resourceType = query(
  'resource_type',
  'Shows the names that properties have on resources of this type: with the prefix of its association.',
);

const hidden = 'There is none, or none that the caller may know of.';
const forbidden = 'The policy does not allow it.';
const isProtected = 'The policy does not allow it, or the namespace is protected.';
const invalid = 'The document does not match its schema.';
const readOnly = 'The policy does not allow it, or the document has a key that is read-only.';
const taken = 'The name is taken.';

const described = (route: Omit<RouteDescription, 'tag'>): RouteDescription => ({ tag, ...route });
const deletion = (at: `/${string}`, summary: string, parameters: readonly RouteParameter[]) =>
  described({
    method: 'DELETE',
    path: at,
    summary,
    parameters,
    answers: { 204: empty('Deleted.') },
    errors: { 403: isProtected, 404: hidden },
  });
const reading = (
  at: `/${string}`,
  summary: string,
  answer: z.ZodType,
  parameters: readonly RouteParameter[],
  more: Pick<RouteDescription, 'description' | 'errors'> = {},
) =>
  described({
    method: 'GET',
    path: at,
    summary,
    parameters,
    ...more,
    answers: { 200: { description: 'What there is.', content: json(answer) } },
    errors: { 404: hidden, ...more.errors },
  });
const writing = (
  method: 'POST' | 'PUT',
  at: `/${string}`,
  summary: string,
  document: z.ZodType,
  parameters: readonly RouteParameter[],
) =>
  described({
    method,
    path: at,
    summary,
    parameters,
    body: { content: json(document), isRequired: true },
    answers: {
      [method === 'POST' ? 201 : 200]: { description: 'As it is kept.', content: json(document) },
    },
    errors: { 400: invalid, 403: readOnly, 404: hidden, 409: taken },
  });

const property = path('name', 'The name of the property.');
const object = path('name', 'The name of the object.');
const tagName = path('name', 'The name of the tag.');

const ofNamespaces: readonly RouteDescription[] = [
  reading(
    NAMESPACES,
    'List namespaces',
    NamespacePage,
    [
      query('limit', 'How many at most.', z.int().min(0)),
      marker,
      query('sort_key', 'Sorted by; `created_at` by default.', z.enum(metadefNamespaceSortKeys)),
      direction,
      query('visibility', 'Only of this visibility.', z.enum(metadefVisibilities)),
      query('resource_types', 'Only those that are associated with one of these, separated by commas.'),
    ],
    { errors: { 400: 'A parameter is invalid.', 403: 'The marker is not visible.' } },
  ),
  writing('POST', NAMESPACES, 'Create a namespace, with what is in it', Namespace, []),
  reading(IN, 'Show a namespace with all that is in it', Namespace, [namespace, resourceType]),
  writing('PUT', IN, 'Replace the attributes of a namespace; what is in it stays', Namespace, [namespace]),
  deletion(IN, 'Delete a namespace with all that is in it', [namespace]),
];

const ofResourceTypes: readonly RouteDescription[] = [
  reading('/v2/metadefs/resource_types', 'List resource types', ResourceTypes, []),
  reading(`${IN}/resource_types`, 'List what a namespace is meant for', Associations, [namespace]),
  writing('POST', `${IN}/resource_types`, 'Associate a namespace with a resource type', Association, [
    namespace,
  ]),
  deletion(`${IN}/resource_types/:name`, 'Dissociate a namespace from a resource type', [
    namespace,
    path('name', 'The name of the resource type.'),
  ]),
];

const ofProperties: readonly RouteDescription[] = [
  reading(`${IN}/properties`, 'List properties', Properties, [namespace]),
  writing('POST', `${IN}/properties`, 'Create a property', Property, [namespace]),
  deletion(`${IN}/properties`, 'Delete all properties', [namespace]),
  reading(`${IN}/properties/:name`, 'Show a property', Property, [namespace, property, resourceType]),
  writing('PUT', `${IN}/properties/:name`, 'Replace or rename a property', Property, [namespace, property]),
  deletion(`${IN}/properties/:name`, 'Delete a property', [namespace, property]),
];

const ofObjects: readonly RouteDescription[] = [
  reading(`${IN}/objects`, 'List all objects', Objects, [namespace], {
    errors: { 400: 'A parameter is invalid.' },
  }),
  writing('POST', `${IN}/objects`, 'Create an object', MetadefObject, [namespace]),
  deletion(`${IN}/objects`, 'Delete all objects', [namespace]),
  reading(`${IN}/objects/:name`, 'Show an object', MetadefObject, [namespace, object]),
  writing('PUT', `${IN}/objects/:name`, 'Replace or rename an object', MetadefObject, [namespace, object]),
  deletion(`${IN}/objects/:name`, 'Delete an object', [namespace, object]),
];

const ofTags: readonly RouteDescription[] = [
  reading(
    `${IN}/tags`,
    'List tags',
    Tags,
    [
      namespace,
      query('limit', 'How many at most.', z.int().min(1)),
      marker,
      query('sort_key', 'Sorted by; `created_at` by default.', z.enum(metadefTagSortKeys)),
      direction,
    ],
    { errors: { 400: 'A parameter is invalid.' } },
  ),
  writing('POST', `${IN}/tags`, 'Replace all tags, or add some', Tags, [
    namespace,
    {
      in: 'header',
      name: 'X-OpenStack-Append',
      description: 'Whether the tags come on top of those that are there: 1, t, true, on, y or yes.',
    },
  ]),
  deletion(`${IN}/tags`, 'Delete all tags', [namespace]),
  described({
    method: 'POST',
    path: `${IN}/tags/:name`,
    summary: 'Create a tag',
    parameters: [namespace, tagName],
    answers: { 201: { description: 'The tag.', content: json(Tag) } },
    errors: { 400: 'The name is too long.', 403: forbidden, 404: hidden, 409: taken },
  }),
  reading(`${IN}/tags/:name`, 'Show a tag', Tag, [namespace, tagName]),
  writing('PUT', `${IN}/tags/:name`, 'Rename a tag', Tag, [namespace, tagName]),
  deletion(`${IN}/tags/:name`, 'Delete a tag', [namespace, tagName]),
];

const ofSchemas: readonly RouteDescription[] = [
  reading(
    '/v2/schemas/metadefs/:name',
    'A schema of metadata definitions',
    z.record(z.string(), z.unknown()),
    [
      {
        ...path('name', 'Of what.'),
        schema: z.enum(Object.keys(publishedMetadefSchemas)),
      },
    ],
  ),
];

export const describeMetadefs: DescribeRoutes = () => [
  ...ofNamespaces,
  ...ofResourceTypes,
  ...ofProperties,
  ...ofObjects,
  ...ofTags,
  ...ofSchemas,
];
