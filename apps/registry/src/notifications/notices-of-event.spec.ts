import {
  imageEvents,
  jobEvents,
  memberEvents,
  metadefEvents,
  notificationTypes,
  taskEvents,
} from '@glimpse/contracts';
import { anImage } from '@glimpse/testing';
import { describe, expect, it } from '@jest/globals';
import { noticesOf } from './notices-of-event.js';
import { uploadErrorText } from './upload-error-text.js';

const NOW = '2026-02-03T04:05:06Z';
const times = { createdAt: '2026-01-01T00:00:00Z', updatedAt: '2026-01-02T00:00:00Z' };
const earlier = { ...times, updatedAt: '2026-01-01T12:00:00Z' };
const namespace = {
  namespace: 'ns',
  displayName: null,
  description: 'd',
  visibility: 'private',
  protected: false,
  owner: 'p1',
  ...times,
} as const;
const shownNamespace = {
  namespace: 'ns',
  namespace_old: 'ns',
  display_name: null,
  protected: false,
  visibility: 'private',
  owner: 'p1',
  description: 'd',
  created_at: times.createdAt,
  updated_at: times.updatedAt,
  deleted: false,
  deleted_at: null,
};
const property = { type: 'integer', title: 'P', minimum: 0, maximum: 9, default: '0', operators: ['<in>'] };
const object = { name: 'o', description: null, required: [], properties: { p: property }, ...times };
const tag = { name: 't', ...times };
const task = {
  id: 't1',
  type: 'api_image_import',
  status: 'success' as const,
  owner: 'p1',
  imageId: 'i1',
  requestId: null,
  userId: null,
  expiresAt: '2026-03-01T00:00:00Z',
  ...times,
};
const noWords = {
  description: null,
  enum: null,
  pattern: null,
  minLength: null,
  maxLength: null,
  confidential: null,
  items: null,
  uniqueItems: null,
  minItems: null,
  maxItems: null,
  additionalItems: null,
};

describe('the notifications of an event', () => {
  it('show the image, without what only clients of the API see', () => {
    const image = anImage({ properties: { k: 'v', os_glance_damaged_stores: 'fast' }, visibility: 'public' });
    const [notice] = noticesOf(imageEvents.updated, { image }, NOW);

    expect(notice).toMatchObject({ type: 'image.update', priority: 'INFO' });
    expect(notice?.payload).toMatchObject({ is_public: true, properties: { k: 'v' }, deleted_at: null });
    for (const hidden of ['os_hash_algo', 'os_hash_value', 'os_hidden', 'locations', 'stores'])
      expect(notice?.payload).not.toHaveProperty(hidden);
  });

  it('show a deleted image as it was', () => {
    const image = anImage({ status: 'pending_delete', size: 7 });

    const [notice] = noticesOf(imageEvents.deleted, { imageId: image.id, image }, NOW);

    expect(notice?.payload).toMatchObject({
      status: 'pending_delete',
      size: 7,
      deleted: true,
      deleted_at: NOW,
    });
  });

  it('show members', () => {
    const member = { imageId: 'i1', memberId: 'p2', status: 'accepted' as const, ...times };

    expect(noticesOf(memberEvents.deleted, { member }, NOW)).toEqual([
      {
        type: 'image.member.delete',
        priority: 'INFO',
        payload: {
          image_id: 'i1',
          member_id: 'p2',
          status: 'accepted',
          created_at: times.createdAt,
          updated_at: times.updatedAt,
          deleted: true,
          deleted_at: NOW,
        },
      },
    ]);
  });

  it('withhold what a task was given and answered, and tell of its run as it was before', () => {
    const shown = {
      id: 't1',
      type: 'api_image_import',
      status: 'success',
      result: null,
      owner: 'p1',
      message: null,
      expires_at: '2026-03-01T00:00:00Z',
      created_at: times.createdAt,
      updated_at: times.updatedAt,
      deleted: false,
      deleted_at: null,
    };

    expect(
      noticesOf(taskEvents.succeeded, { task }, NOW).map(({ type, payload }) => [type, payload]),
    ).toEqual([
      ['task.success', shown],
      ['task.run', { ...shown, status: 'pending', expires_at: NOW, updated_at: times.createdAt }],
    ]);
  });

  it('show a namespace, and the time of the change before in an update', () => {
    const previous = { ...namespace, ...earlier, namespace: 'old' };

    expect(noticesOf(metadefEvents.namespaceCreated, { namespace }, NOW)[0]?.payload).toEqual(shownNamespace);
    expect(noticesOf(metadefEvents.namespaceUpdated, { namespace, previous }, NOW)[0]?.payload).toEqual({
      ...shownNamespace,
      namespace_old: 'old',
      updated_at: earlier.updatedAt,
    });
    expect(noticesOf(metadefEvents.tagsDeleted, { namespace }, NOW)[0]).toMatchObject({
      type: 'metadef_namespace.delete_tags',
      payload: shownNamespace,
    });
  });

  it('lose what Python takes for false in the properties of an object, as Glance does', () => {
    const [created] = noticesOf(metadefEvents.objectCreated, { namespace: 'ns', object }, NOW);
    const [deleted] = noticesOf(metadefEvents.objectDeleted, { namespace: 'ns', object }, NOW);

    expect(created?.payload).toEqual({
      namespace: 'ns',
      name: 'o',
      name_old: 'o',
      properties: [
        { ...noWords, name: 'p', type: 'integer', title: 'P', default: '0', minimum: null, maximum: 9 },
      ],
      required: null,
      description: null,
      created_at: times.createdAt,
      updated_at: times.updatedAt,
      deleted: false,
      deleted_at: null,
    });
    expect(deleted?.payload).toMatchObject({ required: [], deleted: true, deleted_at: NOW });
  });

  it('keep a minimum of 0 of a property', () => {
    const [notice] = noticesOf(
      metadefEvents.propertyUpdated,
      { namespace: 'ns', name: 'p', property, previousName: 'q' },
      NOW,
    );

    expect(notice?.payload).toEqual({
      ...noWords,
      namespace: 'ns',
      name: 'p',
      name_old: 'q',
      type: 'integer',
      title: 'P',
      default: '0',
      minimum: 0,
      maximum: 9,
      deleted: false,
      deleted_at: null,
    });
  });

  it('show types of resources and tags', () => {
    const association = { name: 'OS::Nova::Flavor', prefix: 'hw:', propertiesTarget: null, ...times };
    const rest = {
      created_at: times.createdAt,
      updated_at: times.updatedAt,
      deleted: false,
      deleted_at: null,
    };

    expect(
      noticesOf(metadefEvents.resourceTypeAssociated, { namespace: 'ns', association }, NOW)[0]?.payload,
    ).toEqual({
      namespace: 'ns',
      name: 'OS::Nova::Flavor',
      name_old: 'OS::Nova::Flavor',
      prefix: 'hw:',
      properties_target: null,
      ...rest,
    });
    expect(
      noticesOf(metadefEvents.tagUpdated, { namespace: 'ns', tag, previous: { ...tag, name: 's' } }, NOW)[0]
        ?.payload,
    ).toEqual({ namespace: 'ns', name: 't', name_old: 's', ...rest });
  });

  it('are none where Glance says nothing', () => {
    expect(noticesOf(jobEvents.ready, { jobId: 'j', kind: 'import' }, NOW)).toEqual([]);
  });
});

describe('the types of notifications', () => {
  it('are those of Glance', () => {
    expect(notificationTypes).toHaveLength(33);
  });
});

describe('the text of an upload that failed', () => {
  it.each([
    [undefined, 'Failed to upload image data for image i due to internal error: why'],
    ['IMAGE_FORMAT_REFUSED', 'Failed to upload image data for image i due to internal error: why'],
    ['STORE_FULL', 'Image storage media is full: why'],
    ['STORE_WRITE_DENIED', 'Insufficient permissions on image storage media: why'],
    ['STORE_FORBIDDEN', 'Insufficient permissions on image storage media: why'],
    ['STORE_OBJECT_DUPLICATE', 'Unable to upload duplicate image data for image i: why'],
    ['ACTION_FORBIDDEN', 'Not allowed to upload image data for image i: why'],
    [
      'IMAGE_NOT_FOUND',
      'Image i could not be found after upload. The image may have been deleted during the upload: why',
    ],
  ])('says what failed (%s)', (code, text) => {
    expect(uploadErrorText('i', 'why', code)).toBe(text);
  });
});
