import { Injectable } from '@nestjs/common';

/** The ways of importing data that this service offers, beside uploading it. */
@Injectable()
export class ImportMethods {
  /** By Glance's names, in the order in which they are shown. */
  readonly names: readonly string[] = [];
}
