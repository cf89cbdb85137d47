import { resolve } from 'node:path';
import type { Config } from '@glimpse/config';
import type { Logger } from '@glimpse/observability';
import { DiskConverter } from './disk-converter.js';
import { ImportSteps } from './import-steps.js';
import { LimitedTools } from './limited-tool.js';
import { QemuImg } from './qemu-img.js';
import { ScratchSpace } from './scratch-space.js';

/** The tools that the configuration makes this worker need. */
function toolsOf({ steps, conversion }: Config['import']): string[] {
  const converts = conversion.onRequest || steps.includes('image_conversion');
  return [
    ...(converts ? ['qemu-img'] : []),
    ...(steps.includes('image_decompression') ? ['xz', 'bzip2'] : []),
  ];
}

/**
 * Makes ready what imports do to their data, and tidies the scratch space. Rejects where a tool is missing that the
 * configuration needs.
 */
export async function startImportSteps(
  config: Config,
  logger: Logger,
): Promise<{
  importSteps: ImportSteps;
  scratch: ScratchSpace;
  converter: DiskConverter;
  stop: () => void;
}> {
  const { scratch: options, conversion, decompression } = config.import;
  const { limits, formats } = config;
  const tools = new LimitedTools();
  const needed = toolsOf(config.import);
  if (needed.length > 0) {
    await tools.assertInstalled(needed);
    if (!(await tools.hasIsolation()))
      logger.warn('tools run on image data with access to the network: the machine permits no namespaces');
  }
  const scratch = new ScratchSpace(
    {
      directory: resolve(options.dir ?? resolve(config.dataDir, 'scratch')),
      maxBytes: options.maxSize,
      maxAgeMs: options.maxAgeMs,
    },
    logger,
  );
  if (needed.length > 0) await scratch.assertUsable();
  await scratch.start();
  const converter = new DiskConverter(new QemuImg(tools), { conversion, limits, formats });
  return {
    importSteps: new ImportSteps(scratch, tools, converter, { decompression, limits }),
    scratch,
    converter,
    stop: () => scratch.stop(),
  };
}
