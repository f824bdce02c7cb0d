#!/usr/bin/env bash
# Installs PostgreSQL 17 with pgvector for the tests of galleries on PostgreSQL, which start and stop their own server.
# Works only as root on Debian and Ubuntu; otherwise it says so and the tests skip.
set -euo pipefail
[ "$(uname -s)" = Linux ] || exit 0
prefix=/usr/local/lib/uniface/postgresql-17
for root in "" "$prefix"; do
  if [ -x "$root/usr/lib/postgresql/17/bin/postgres" ] && [ -e "$root/usr/share/postgresql/17/extension/vector.control" ]; then exit 0; fi
done

no() { echo "setup: no PostgreSQL 17 with pgvector: $1 The tests that need them are skipped." >&2; exit 0; }
command -v apt-get >/dev/null || no "it is only installed automatically on Debian and Ubuntu."
[ "$(id -u)" = 0 ] || no "'sudo setup/postgres.sh' installs them once."

echo "setup: getting postgresql-17 and postgresql-17-pgvector (once)" >&2
[ -n "$(apt-cache search --names-only '^postgresql-17-pgvector$')" ] || apt-get update -qq || no "apt-get update failed."
if apt-get install -s -qq --no-install-recommends postgresql-17 postgresql-17-pgvector >/dev/null 2>&1; then
  # The package must not start a cluster of its own.
  mkdir -p /etc/postgresql-common/createcluster.d
  printf 'create_main_cluster = false\n' >/etc/postgresql-common/createcluster.d/uniface.conf
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
    -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold postgresql-17 postgresql-17-pgvector >/dev/null ||
    no "apt-get could not install them."
  exit 0
fi

# On Debian 12 the packages come from Debian 13, which system.sh added. Installing them would replace OpenSSL, Perl and about 30 other packages, so they
# are unpacked into a folder of their own, with the libraries that they need.
temporary=$(mktemp -d); trap 'rm -rf "$temporary"' EXIT
cd "$temporary"; chmod 755 .
apt-get download -qq -o APT::Sandbox::User=root -t trixie postgresql-17 postgresql-17-pgvector libpq5 libicu76 libldap2 libsasl2-2 libssl3t64 libxml2 ||
  no "apt-get could not get them (Debian 13 and Ubuntu 25.04 or newer have them)."
for package in *.deb; do dpkg -x "$package" all; done
mkdir -p "$(dirname "$prefix")"; rm -rf "$prefix"; chmod 755 all; mv all "$prefix"
