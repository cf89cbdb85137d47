import type { Provider } from '@nestjs/common';
import { MembersRepository } from '../members/members.repository.js';
import { MembersService } from '../members/members.service.js';
import { PropertyProtection } from '../property-protection/property-protection.js';
import { ProjectQuotas } from '../quotas/project-quotas.js';
import { TagsService } from '../tags/tags.service.js';
import { HeldImages } from './held-images.js';
import { ImageActions } from './image-actions.js';
import { ImageAnswers } from './image-answers.js';
import { ImageDataService } from './image-data.service.js';
import { ImageListService } from './image-list.service.js';
import { ImageReader } from './image-reader.js';
import { ImagesRepository } from './images.repository.js';
import { ImagesService } from './images.service.js';
import { Scrubber } from './scrubber.js';
import { UploadAdmission } from './upload-admission.js';
import { UploadFailures } from './upload-failures.js';

/** Images, and what belongs to one. */
export const imageProviders: Provider[] = [
  ImagesRepository,
  ImageReader,
  HeldImages,
  ImageAnswers,
  ImagesService,
  ImageListService,
  ImageDataService,
  ImageActions,
  Scrubber,
  UploadAdmission,
  UploadFailures,
  TagsService,
  MembersRepository,
  MembersService,
  PropertyProtection,
  ProjectQuotas,
];
