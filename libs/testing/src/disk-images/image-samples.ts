import {
  PROTECTIVE_PARTITION,
  aLuksVolume,
  aPartitionedDisk,
  aPloopImage,
  aQedImage,
  aTarArchive,
  aVdiImage,
  anIsoImage,
} from './other-images.js';
import { aQcow2Image } from './qcow2-image.js';
import { aFixedVhd, aVhdImage } from './vhd-image.js';
import { aVhdxImage } from './vhdx-image.js';
import { aStreamOptimizedVmdk, aVmdkImage, vmdkDescriptor } from './vmdk-image.js';

function aHybridIso(): Buffer {
  const image = anIsoImage();
  aPartitionedDisk().copy(image, 0, 0, 512);
  return image;
}

/** A small image of everything that the inspector knows. */
export const imageSamples = (): readonly [Buffer, ...Buffer[]] => [
  aQcow2Image(),
  aQcow2Image({ version: 2 }),
  aQedImage(),
  aVhdImage(),
  aFixedVhd(),
  aVhdxImage(),
  aVmdkImage(),
  aStreamOptimizedVmdk(),
  Buffer.from(vmdkDescriptor({ createType: 'monolithicFlat' })),
  aVdiImage(),
  anIsoImage(),
  aHybridIso(),
  aPartitionedDisk(),
  aPartitionedDisk([PROTECTIVE_PARTITION]),
  aLuksVolume(1, 8_192),
  aPloopImage(),
  aTarArchive('disk.ovf'),
  Buffer.alloc(4_096),
];
