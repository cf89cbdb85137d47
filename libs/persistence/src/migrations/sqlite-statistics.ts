import type { QueryRunner } from 'typeorm';

/**
 * What SQLite's planner is to believe of each index: rows of the table, then the rows that are equal in its first
 * column, in its first two, and so on. From a cloud with 20,000 images. Without it the planner takes `deleted = 0` for
 * as good a find as an id, and reads the whole table for one image.
 */
const statistics: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  images: {
    sqlite_autoindex_images_1: '20000 1',
    checksum_image_idx: '20000 2',
    visibility_image_idx: '20000 5000',
    ix_images_deleted: '20000 10000',
    owner_image_idx: '20000 100',
    created_at_image_idx: '20000 1',
    updated_at_image_idx: '20000 1',
    os_hidden_image_idx: '20000 10000',
    os_hash_value_image_idx: '20000 2',
    glimpse_images_status: '20000 10000 1',
    glimpse_images_by_created_at: '20000 5000 4500 4300 1 1 1 1 1',
    glimpse_images_by_updated_at: '20000 5000 4500 4300 1 1 1 1 1 1',
    glimpse_images_by_name: '20000 5000 4500 4300 3 1 1 1 1 1',
    glimpse_images_by_status: '20000 5000 4500 4300 3000 1 1 1 1',
    glimpse_images_by_size: '20000 5000 4500 4300 2 1 1 1 1',
    glimpse_images_by_disk_format: '20000 5000 4500 4300 2000 1 1 1 1 1',
    glimpse_images_by_container_format: '20000 5000 4500 4300 3000 1 1 1 1 1',
    glimpse_images_by_id: '20000 5000 4500 4300 1 1 1 1',
    glimpse_images_own: '20000 100 90 85 1 1 1 1 1 1 1 1 1 1',
    glimpse_images_usage: '20000 100 90 60 1',
  },
  image_properties: {
    ix_image_properties_image_id: '120000 6',
    ix_image_properties_deleted: '120000 60000',
    ix_image_properties_image_id_name: '120000 6 1',
    glimpse_image_properties_value: '120000 12000 60 1',
  },
  image_locations: {
    ix_image_locations_image_id: '20000 1',
    ix_image_locations_deleted: '20000 10000',
    glimpse_image_locations_value: '20000 1',
  },
  image_members: {
    ix_image_members_deleted: '2000 1000',
    ix_image_members_image_id: '2000 4',
    ix_image_members_image_id_member: '2000 4 1',
    image_members_image_id_member_deleted_at_key: '2000 4 1 1',
    glimpse_image_members_member: '2000 20 18 9 1',
  },
  image_tags: {
    ix_image_tags_image_id: '20000 2',
    ix_image_tags_image_id_tag_value: '20000 2 1',
    glimpse_image_tags_value: '20000 400 1',
  },
};

/** Gives SQLite's planner {@link statistics}, as ANALYZE would have found them. Does nothing on MySQL, which counts itself. */
export async function giveStatistics(runner: QueryRunner): Promise<void> {
  if (runner.dataSource.options.type !== 'better-sqlite3') return;
  // Makes the table of statistics.
  await runner.query('ANALYZE images');
  for (const [table, indexes] of Object.entries(statistics)) {
    await runner.query('DELETE FROM sqlite_stat1 WHERE tbl = ?', [table]);
    for (const [index, statistic] of Object.entries(indexes))
      await runner.query('INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES (?, ?, ?)', [
        table,
        index,
        statistic,
      ]);
  }
  await runner.query('ANALYZE sqlite_schema');
}
