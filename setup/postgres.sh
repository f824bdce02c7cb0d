#!/usr/bin/env bash
# Installs PostgreSQL 17 with pgvector for the tests of galleries on PostgreSQL, which start and stop their own server.
# Works only as root on Debian and Ubuntu; otherwise it says so and the tests skip.
set -euo pipefail
[ "$(uname -s)" = Linux ] || exit 0
prefix=/usr/local/lib/uniface/postgresql-17
for root in "" "$prefix"; do
  if [ -x "$root/usr/lib/postgresql/17/bin/postgres" ] && [ -e "$root/usr/share/postgresql/17/extension/vector.control" ]; then exit 0; fi
done

skip_tests() { echo "setup: no PostgreSQL 17 with pgvector: $1 The tests that need them are skipped." >&2; exit 0; }
command -v apt-get >/dev/null || skip_tests "it is only installed automatically on Debian and Ubuntu."
[ "$(id -u)" = 0 ] || skip_tests "'sudo setup/postgres.sh' installs them once."

echo "setup: getting postgresql-17 and postgresql-17-pgvector (once)" >&2
[ -n "$(apt-cache search --names-only '^postgresql-17-pgvector$')" ] || apt-get update -qq || skip_tests "apt-get update failed."
if apt-get install -s -qq --no-install-recommends postgresql-17 postgresql-17-pgvector >/dev/null 2>&1; then
  # The package must not start a cluster of its own.
  mkdir -p /etc/postgresql-common/createcluster.d
  printf 'create_main_cluster = false\n' >/etc/postgresql-common/createcluster.d/uniface.conf
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
    -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold postgresql-17 postgresql-17-pgvector >/dev/null ||
    skip_tests "apt-get could not install them."
  exit 0
fi

# On Debian 12 the packages come from Debian 13. Installing them would replace the C library, OpenSSL, Perl and about 30 other packages, so they are
# unpacked into a folder of their own, with the libraries that they need, and apt's configuration stays as it is.
. /etc/os-release
[ "${ID:-}" = debian ] && [ "${VERSION_ID:-}" = 12 ] || skip_tests "Debian 13 and Ubuntu 25.04 or newer have it."
temporary=$(mktemp -d); trap 'rm -rf "$temporary"' EXIT
cd "$temporary"; chmod 755 .; mkdir -p sources lists/partial cache/archives/partial
list=/etc/apt/sources.list.d/debian.sources
if [ -e "$list" ]; then uri=$(awk '/^URIs:/ && !uri {uri = $2} END {print uri}' "$list"); else
  uri=$(awk '$1 == "deb" && !uri {for (i = 2; i <= NF; i++) if ($i ~ /:\/\//) {uri = $i; break}} END {print uri}' /etc/apt/sources.list)
fi
printf 'Types: deb\nURIs: %s\nSuites: trixie\nComponents: main\nSigned-By: /usr/share/keyrings/debian-archive-keyring.gpg\n' "$uri" >sources/trixie.sources
apt=(apt-get -qq -o APT::Sandbox::User=root -o Dir::Etc::sourcelist=/dev/null -o Dir::Etc::sourceparts="$PWD/sources"
  -o Dir::State::lists="$PWD/lists" -o Dir::Cache="$PWD/cache")
"${apt[@]}" update || skip_tests "apt-get update failed."
"${apt[@]}" download postgresql-17 postgresql-17-pgvector libpq5 libicu76 libldap2 libsasl2-2 libssl3t64 libxml2 libzstd1 liblz4-1 zlib1g \
  libstdc++6 libgcc-s1 libc6 || skip_tests "apt-get could not get them."
for package in *.deb; do dpkg -x "$package" all; done

# The programs need the C library of Debian 13, which its own loader finds in a folder that nothing else searches. They find their files by the path that
# they are called by.
mv all/usr/lib/*-linux-gnu all/usr/lib/libraries
loader=$(basename all/usr/lib/libraries/ld-linux-*.so.*)
for program in all/usr/lib/postgresql/17/bin/*; do
  name=$(basename "$program"); mv "$program" "$(dirname "$program")/.$name"
  cat >"$program" <<WRAPPER
#!/bin/sh
here=\$(cd "\$(dirname "\$0")" && pwd); libraries=\$here/../../../libraries
exec "\$libraries/$loader" --argv0 "\$here/$name" --library-path "\$libraries" "\$here/.$name" "\$@"
WRAPPER
  chmod 755 "$program"
done
mkdir -p "$(dirname "$prefix")"; rm -rf "$prefix"; chmod 755 all; mv all "$prefix"
