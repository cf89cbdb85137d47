/** What tempest has to know of the cloud that it tests. */
interface TempestCloud {
  /** Of Keystone, ending in `/v3`. */
  readonly identityUrl: string;
  readonly admin: { readonly username: string; readonly password: string };
  /** Whose catalogue has the image service under test. */
  readonly region: string;
  /** Of the image service in the catalogue. */
  readonly serviceType: string;
}

interface TempestOptions {
  readonly cloud: TempestCloud;
  /** An image on the web that may be imported and registered as a location. */
  readonly imageUrl: string;
  /** For tempest's locks, logs and accounts. */
  readonly folder: string;
}

/** The sections of tempest.conf for a cloud that has an identity and an image service, and nothing else. */
export function tempestConfig({ cloud, imageUrl, folder }: TempestOptions): string {
  const sections: Record<string, Record<string, string | number | boolean>> = {
    DEFAULT: { log_file: `${folder}/tempest.log`, debug: true },
    oslo_concurrency: { lock_path: `${folder}/locks` },
    auth: {
      use_dynamic_credentials: true,
      create_isolated_networks: false,
      tempest_roles: 'member',
      admin_username: cloud.admin.username,
      admin_password: cloud.admin.password,
      admin_project_name: 'admin',
      admin_domain_name: 'Default',
      admin_user_domain_name: 'Default',
      admin_project_domain_name: 'Default',
      admin_system: 'all',
    },
    identity: {
      auth_version: 'v3',
      uri_v3: cloud.identityUrl,
      region: cloud.region,
      v3_endpoint_type: 'public',
      default_domain_id: 'default',
    },
    'identity-feature-enabled': { api_v2: false, api_v3: true },
    enforce_scope: { glance: true },
    service_available: {
      glance: true,
      nova: false,
      neutron: false,
      cinder: false,
      swift: false,
      horizon: false,
    },
    image: {
      catalog_type: cloud.serviceType,
      region: cloud.region,
      build_interval: 1,
      http_image: imageUrl,
      http_qcow2_image: imageUrl,
      image_caching_enabled: true,
      container_formats: 'bare,ami,ari,aki,ovf,ova',
      disk_formats: 'qcow2,raw,ami,ari,aki,vhd,vmdk,vdi,iso,vhdx',
    },
    'image-feature-enabled': {
      api_v1: false,
      import_image: true,
      manage_locations: true,
      do_secure_hash: true,
      os_glance_reserved: true,
      http_store_enabled: true,
      store_weight_enabled: true,
      // Its tests upload arbitrary bytes as qcow2 where the service lets them.
      image_format_enforcement: false,
    },
    validation: { run_validation: false },
  };
  return Object.entries(sections)
    .map(([name, options]) =>
      [`[${name}]`, ...Object.entries(options).map(([option, value]) => `${option} = ${value}`)].join('\n'),
    )
    .join('\n\n');
}
