import { type OpenableType, checked } from '../driver-type.js';
import { fileType } from './file/file.type.js';
import { httpType } from './http/http.type.js';
import { s3Type } from './s3/s3.type.js';

/** Every kind of store that can be configured. */
export const driverTypes: readonly OpenableType[] = [checked(fileType), checked(httpType), checked(s3Type)];
