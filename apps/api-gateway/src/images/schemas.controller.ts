import { Controller, Get } from '@nestjs/common';
import { GatewaySettings } from '../gateway-settings.js';
import { Body } from '../http/body-policy.js';
import { publishedMemberSchema, publishedMembersSchema } from '../members/members.schema.js';
import { createNewImageSchema } from './images.schema.js';
import { publishedImageSchema, publishedImagesSchema } from './published-schema.js';

/** The schemas from which clients build their models. */
@Controller('v2/schemas')
export class SchemasController {
  private readonly imageDocument: object;
  private readonly imagesDocument: object;

  constructor({ config }: GatewaySettings) {
    const schema = createNewImageSchema(config.images);
    this.imageDocument = publishedImageSchema(schema);
    this.imagesDocument = publishedImagesSchema(schema);
  }

  @Get('image')
  @Body('reject')
  image(): object {
    return this.imageDocument;
  }

  @Get('member')
  @Body('reject')
  member(): object {
    return publishedMemberSchema;
  }

  @Get('members')
  @Body('reject')
  members(): object {
    return publishedMembersSchema;
  }

  @Get('images')
  @Body('reject')
  images(): object {
    return this.imagesDocument;
  }
}
