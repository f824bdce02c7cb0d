#!/usr/bin/env bash
# Writes src/*/PublicAPI.Unshipped.txt, the public API that the build checks, from the code; then shows the difference. Run it after a change of
# the public API, and review the difference like code.
set -euo pipefail
cd "$(dirname "$0")/.."
work=$(mktemp -d)
complete=
# A build that fails reports no symbols: the lists stay as they were.
restore() {
    [ -n "$complete" ] || for file in src/*/PublicAPI.Unshipped.txt; do cp "$work/$(basename "$(dirname "$file")")" "$file"; done
    rm -rf "$work"
}
trap restore EXIT
for file in src/*/PublicAPI.Unshipped.txt; do
    cp "$file" "$work/$(basename "$(dirname "$file")")"
    echo '#nullable enable' > "$file"
done

# These three build every library. The lists are inputs of the compiler, so each library is compiled again.
for project in src/UniFace.Studio src/UniFace.Gallery.VectorData src/UniFace.Synthetic; do
    dotnet build "$project" -c Release --no-restore -v q -nologo -p:TreatWarningsAsErrors=false >> "$work/log" 2>&1 ||
        { grep -E ': error' "$work/log" | sort -u; echo "$project does not build; the lists are unchanged" >&2; exit 1; }
done
sed -n -E "s/.*warning RS0016: Symbol '(.*)' is not part of the declared public API.*\[(.*)\/[^/]*\.csproj.*/\2\t\1/p" "$work/log" | sort -u |
    while IFS=$'\t' read -r folder symbol; do
        echo "$symbol" >> "$folder/PublicAPI.Unshipped.txt"
    done
complete=1

for file in src/*/PublicAPI.Unshipped.txt; do
    { echo '#nullable enable'; sed 1d "$file" | LC_ALL=C sort -u; } > "$file.new" && mv "$file.new" "$file"
done
git --no-pager diff --stat -- 'src/*/PublicAPI.*.txt'
