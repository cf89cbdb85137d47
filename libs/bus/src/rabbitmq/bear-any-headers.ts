import type { ChannelModel } from 'amqplib';

// amqplib decodes the headers of a message before anybody sees it, and a table in a table in a table ends its stack. It gives
// the connection up for that; the broker then delivers the message again, to whoever comes next, for ever.

const FRAME_OF_PROPERTIES = 2;
const CHANNEL_AT = 1;
const CLASS_AT = 7;
const BODY_SIZE_AT = 11;

/** What we need to know of amqplib's connection. */
interface FrameReader {
  /** The bytes that are not read yet. */
  readonly rest: Buffer;
  recvFrame(): unknown;
}

/** Lets a message whose properties cannot be decoded come without any, in place of ending the connection. */
export function bearAnyHeaders(model: ChannelModel): void {
  const reader = model.connection as unknown as FrameReader;
  const read = reader.recvFrame.bind(reader);
  reader.recvFrame = () => {
    const { rest } = reader;
    try {
      return read();
    } catch (error) {
      // What was no frame at all is still there.
      const wasTaken = reader.rest !== rest;
      if (!wasTaken || rest.readUInt8(0) !== FRAME_OF_PROPERTIES) throw error;
      return {
        id: rest.readUInt16BE(CLASS_AT),
        channel: rest.readUInt16BE(CHANNEL_AT),
        size: Number(rest.readBigUInt64BE(BODY_SIZE_AT)),
        fields: {},
      };
    }
  };
}
