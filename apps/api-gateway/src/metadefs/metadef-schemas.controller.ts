import { Controller, Get, Param } from '@nestjs/common';
import { Body } from '../http/body-policy.js';
import { routeNotFound } from '../http/http-error.js';
import { publishedMetadefSchemas } from './published-metadef-schemas.js';

const schemas: ReadonlyMap<string, object> = new Map(Object.entries(publishedMetadefSchemas));

/** The schemas of metadata definitions. */
@Controller('v2/schemas/metadefs')
export class MetadefSchemasController {
  @Get(':name')
  @Body('reject')
  show(@Param('name') name: string): object {
    const schema = schemas.get(name);
    if (schema === undefined) throw routeNotFound();
    return schema;
  }
}
