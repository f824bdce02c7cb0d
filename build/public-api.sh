#!/usr/bin/env bash
# Writes src/*/PublicAPI.Unshipped.txt, the public API that the build checks, from the code; then shows the difference. Run it after a change of
# the public API, and review the difference like code.
set -euo pipefail
cd "$(dirname "$0")/.."
for file in src/*/PublicAPI.Unshipped.txt; do
    echo '#nullable enable' > "$file"
done

# These three build every library. The lists are inputs of the compiler, so each library is compiled again.
for project in src/UniFace.Studio src/UniFace.Gallery.VectorData src/UniFace.Synthetic; do
    dotnet build "$project" -c Release --no-restore -v q -nologo -p:TreatWarningsAsErrors=false
done | tee "${TMPDIR:-/tmp}/uniface-public-api.log" | grep -E 'warning RS0016' |
    sed -E "s/.*RS0016: Symbol '(.*)' is not part of the declared public API.*\[(.*)\/[^/]*\.csproj.*/\2\t\1/" | sort -u |
    while IFS=$'\t' read -r folder symbol; do
        echo "$symbol" >> "$folder/PublicAPI.Unshipped.txt"
    done

for file in src/*/PublicAPI.Unshipped.txt; do
    { echo '#nullable enable'; sed 1d "$file" | LC_ALL=C sort -u; } > "$file.new" && mv "$file.new" "$file"
done
git --no-pager diff --stat -- 'src/*/PublicAPI.*.txt'
