#!/usr/bin/env bash
# Publishes tests/AotProgram ahead of time, without a warning, and runs it: it verifies two pictures, enrolls one and identifies the other. Called by ./test.
# Exit code 0: passed; 1: failed; 3: skipped, because there is no linker (setup/aot.sh).
set -uo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd); cd "$root"
if command -v clang >/dev/null; then linker=clang; elif command -v gcc >/dev/null; then linker=gcc; else exit 3; fi
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
files=tests/UniFace.Cli.Tests/Compatibility/v0.1

dotnet publish tests/AotProgram -c Release -o "$work/out" -v quiet -nologo -p:CppCompilerAndLinker=$linker >"$work/log" 2>&1 || { cat "$work/log"; exit 1; }
! grep -E "warning|IL[23][0-9]{3}" "$work/log" || exit 1

# Both pictures are of one person; a managed program gives these scores, too.
"$work/out/AotProgram" $files/package $files/enrol/person-0080/000.jpg $files/probe/0080.jpg "$work/people.gallery" --aligned >"$work/answer" || exit 1
printf 'verify: same, score 0.7157, threshold 0.6930\nidentify: Ann, score 0.7157\n' | diff - "$work/answer" || exit 1
echo "AOT: $(stat -c %s "$work/out/AotProgram") bytes, answers as expected"
