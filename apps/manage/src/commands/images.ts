import type { Command } from 'commander';
import { type OutputOptions, report } from '../output.js';
import { restoreImage } from '../restore-image.js';
import { withCurrentDatabase } from '../with-services.js';

interface RestoreCommandOptions extends OutputOptions {
  readonly deactivated?: boolean;
}

export function addImages(program: Command): void {
  const images = program.command('images').description('images that were deleted');
  images
    .command('restore')
    .description('undo the deletion of an image whose data is still kept (images.delayed_delete)')
    .argument('<id>', 'the id of the image')
    .option('--deactivated', 'so that only admins may read its data')
    .option('--json', 'answer in JSON')
    .action(async (id: string, options: RestoreCommandOptions) => {
      const isDeactivated = options.deactivated === true;
      await withCurrentDatabase((database) => restoreImage(database, id, { isDeactivated }));
      const status = isDeactivated ? 'deactivated' : 'active';
      report(options, { id, status }, `Image ${id} is ${status} again.`);
    });
}
