import { Controller, Get } from '@nestjs/common';
import { Body } from '../http/body-policy.js';
import { ImportMethods } from './import-methods.js';

/** Says how data can be imported. */
@Controller('v2/info/import')
export class ImportInfoController {
  constructor(private readonly methods: ImportMethods) {}

  @Get()
  @Body('reject')
  show() {
    return {
      'import-methods': {
        description: 'Import methods available.',
        type: 'array',
        value: this.methods.names,
      },
    };
  }
}
