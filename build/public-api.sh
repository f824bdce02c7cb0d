#!/usr/bin/env bash
# Writes src/*/PublicAPI.Unshipped.txt, the public API that the build checks, from the code; then shows the difference. Run it after a change of
# the public API, and review the difference like code.
set -euo pipefail
cd "$(dirname "$0")/.."
projects=(src/UniFace.Studio src/UniFace.Gallery.VectorData src/UniFace.Synthetic)
for file in src/*/PublicAPI.Unshipped.txt; do
    echo '#nullable enable' > "$file"
done

for project in "${projects[@]}"; do
    dotnet build "$project" -c Release --no-incremental -v q -nologo -p:TreatWarningsAsErrors=false -p:WarningsAsErrors=
done | grep -E 'warning RS0016' | sort -u | sed -E "s/.*warning RS0016: Symbol '(.*)' is not part of the declared public API.*\[(.*)\/[^/]*\.csproj.*/\2\t\1/" | sort -u |
    while IFS=$'\t' read -r folder symbol; do
        echo "$symbol" >> "$folder/PublicAPI.Unshipped.txt"
    done

for file in src/*/PublicAPI.Unshipped.txt; do
    { echo '#nullable enable'; sed 1d "$file" | LC_ALL=C sort -u; } > "$file.new" && mv "$file.new" "$file"
done
git --no-pager diff --stat -- 'src/*/PublicAPI.*.txt'
