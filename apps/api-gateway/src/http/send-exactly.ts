import type { FastifyReply } from 'fastify';

const passOn = (body: string) => body;

/** Sends a text with just this content type: to JSON without a charset Fastify would add one, which Glance's has not. */
export function sendExactly(reply: FastifyReply, contentType: string, body: string): FastifyReply {
  // With a serializer of its own a reply keeps its content type.
  return reply.header('content-type', contentType).serializer(passOn).send(body);
}
