#!/bin/bash
# Installs distribution packages as root, without letting any of them start a system service.
set -euo pipefail
export DEBIAN_FRONTEND=noninteractive

policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  trap 'rm -f "$policy"' EXIT
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod +x "$policy"
fi
apt-get update -qq
# --no-remove: whoever has another database server installed keeps it.
apt-get install -y -qq --no-install-recommends --no-remove "$@"
