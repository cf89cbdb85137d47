import { type JsonObject, osloCallExamples, snapshotReplyExamples } from '@glimpse/contracts';

/** oslo.messaging's envelope, whose content is JSON in a text. */
const envelopeSchema = (content: JsonObject): JsonObject => ({
  type: 'object',
  required: ['oslo.version', 'oslo.message'],
  properties: {
    'oslo.version': { enum: ['2.0', '2'] },
    'oslo.message': { type: 'string', contentMediaType: 'application/json', contentSchema: content },
  },
});

const enclosed = (name: string, content: unknown) => ({
  name,
  payload: { 'oslo.version': '2.0', 'oslo.message': JSON.stringify(content) },
});

const text = (description: string, maxLength?: number): JsonObject => ({
  type: ['string', 'null'],
  ...(maxLength === undefined ? {} : { maxLength }),
  description,
});

/** What is called, where the answer goes, and who calls; other members are of no concern. */
const callSchema: JsonObject = {
  type: 'object',
  required: ['method'],
  properties: {
    method: { enum: ['create_snapshot', 'cancel_snapshot', 'get_snapshot'] },
    args: {
      type: 'object',
      description:
        'create_snapshot: `request`, the payload of a snapshot.create. cancel_snapshot: `request_id`. get_snapshot: `request_id` or `image_id`.',
      properties: {
        request: { type: 'object' },
        request_id: { type: 'string', minLength: 1, maxLength: 255 },
        image_id: { type: 'string', minLength: 1, maxLength: 36 },
      },
    },
    namespace: { enum: ['snapshots', null], description: 'Or none.' },
    version: { enum: ['1.0', '1', null], description: '1.0 where it is not there.' },
    _msg_id: text('Names the call in its answer; a cast, which is not answered, has none.', 255),
    _reply_q: text('The queue for the answer.', 255),
    _context_project_id: text('Whom the call is for; or `_context_tenant`.', 255),
    _context_user_id: text('Or `_context_user`.', 255),
    _context_roles: { type: ['array', 'null'], maxItems: 64, items: { type: 'string', maxLength: 255 } },
    _context_auth_token: text('A token that says who calls.', 16_384),
  },
};

const answerSchema: JsonObject = {
  type: 'object',
  required: ['_msg_id', '_unique_id', 'ending', 'result', 'failure'],
  properties: {
    _msg_id: text('That of the call.'),
    _unique_id: { type: 'string' },
    ending: { const: true },
    result: { type: ['object', 'null'], description: 'The payload of a snapshot.reply.' },
    failure: text(
      'JSON of the exception that the caller is to raise, else null: class, module, message, tb, args, kwargs.',
    ),
  },
};

const answer = {
  _msg_id: '5d2f0c0e6a574f1e8a430b7f3f1f7d52',
  _unique_id: '0c0e6a574f1e8a430b7f3f1f7d525d2f',
  ending: true,
};
const refusal = {
  class: 'QuotaExceeded',
  module: 'glimpse.exceptions',
  message: 'The project has as many images as it may have',
  tb: [],
  args: ['The project has as many images as it may have'],
  kwargs: {},
};

/** A call, or a cast, of oslo.messaging's RPC. */
export const osloCallMessage: JsonObject = {
  name: 'oslo.call',
  summary: 'Asks for a snapshot, ends one, or asks how it stands, by the RPC of oslo.messaging.',
  contentType: 'application/json',
  payload: envelopeSchema(callSchema),
  examples: Object.entries(osloCallExamples).map(([name, call]) => enclosed(name, call)),
};

/** What a call comes to. */
export const osloReplyMessage: JsonObject = {
  name: 'oslo.reply',
  summary: 'The answer to a call of oslo.messaging, in the queue that its `_reply_q` names.',
  contentType: 'application/json',
  payload: envelopeSchema(answerSchema),
  examples: [
    enclosed('Accepted', { ...answer, result: snapshotReplyExamples['Accepted'], failure: null }),
    enclosed('Refused', { ...answer, result: null, failure: JSON.stringify(refusal) }),
  ],
};
