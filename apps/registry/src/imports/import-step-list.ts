import type { Config } from '@glimpse/config';
import type { ImportRequest, ImportStep } from '@glimpse/contracts';

/**
 * What is done with the data of an import before it is stored, as the configuration says. What is copied between stores stays
 * what it is. Injecting metadata is not the worker's: see `injectMetadata`.
 */
export function importStepList(
  { name }: ImportRequest['method'],
  { steps, conversion }: Pick<Config['import'], 'steps' | 'conversion'>,
): ImportStep[] {
  if (name === 'copy-image') return [];
  return steps.flatMap((step): ImportStep[] => {
    if (step === 'image_decompression') return [{ name: 'decompress' }];
    if (step === 'ova_unpacking') return [{ name: 'unpack-ova' }];
    if (step === 'image_conversion') return [{ name: 'convert', diskFormat: conversion.outputFormat }];
    return [];
  });
}
