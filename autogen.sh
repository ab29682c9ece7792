#!/bin/sh
# Makes the configure script. Needed after a fresh clone and after a change of configure.ac or
# Makefile.am; a release tarball has it already.
set -eu
cd "$(dirname "$0")"

missing=
for pair in autoreconf:autoconf automake:automake libtoolize:libtool pkg-config:pkg-config; do
    command -v "${pair%%:*}" >/dev/null 2>&1 || missing="$missing ${pair##*:}"
done
if [ -n "$missing" ]; then
    echo "autogen.sh: tools are missing. On Debian: apt-get install$missing" >&2
    exit 1
fi

mkdir -p m4
exec autoreconf --force --install
