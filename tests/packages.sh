#!/usr/bin/env bash
# Packs everything into a folder feed, checks the packages, and builds and runs programs that reference only them: the tool and samples/. They run without
# npm, with an empty home folder. Needs unzip and, for the packages of others, the package cache or the network. Some ten minutes.
#   tests/packages.sh [FEED]   with a feed, its packages are tested and nothing is packed
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd); cd "$root"
export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1 MSBUILDDISABLENODEREUSE=1
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
feed=${1:-$work/feed}
case $(uname -s) in Linux) system=linux-x64 ;; Darwin) system=osx-arm64 ;; *) system=win-x64 ;; esac
step() { echo "== $*  ($(date +%T))"; }
fail() { echo "FAILED: $*" >&2; exit 1; }

if [ $# = 0 ]; then
  step "dotnet pack"
  export UNIFACE_HOME=${UNIFACE_HOME:-$root/.tools}
  dotnet pack UniFace.slnx -c Release -o "$feed" --artifacts-path "$work/artifacts" -v quiet -nologo >"$work/pack.log" 2>&1 ||
    { cat "$work/pack.log"; fail "dotnet pack"; }
  ! grep -E "warning|error" "$work/pack.log" || fail "dotnet pack has warnings"
fi
feed=$(cd "$feed" && pwd)
version=$(basename "$feed"/UniFace.Vision.*.nupkg .nupkg); version=${version#UniFace.Vision.}

step "the packages"
expected=$(printf 'UniFace%s\n' '' .AspNetCore .Client .Gallery .Gallery.Postgres .Gallery.VectorData .Models.DlibResNet .Models.FaceDetection \
  .Models.FaceLandmarks .Studio .Synthetic .Tool ".Tool.$system" .Training .Vision)
found=$(cd "$feed" && printf '%s\n' *.nupkg | sed "s/\.$version\.nupkg$//" | LC_ALL=C sort)
[ "$found" = "$expected" ] || fail "the packages are: $found"
for package in $found; do
  file=$feed/$package.$version.nupkg
  names=$(unzip -Z1 "$file"); nuspec=$(unzip -p "$file" "$package.nuspec")
  for name in README.md icon.png; do grep -qx "$name" <<<"$names" || fail "$package has no $name"; done
  for element in '<license type="expression">' '<readme>README.md' '<icon>icon.png' '<tags>' '<description>' '<repository type="git"' ' commit="'; do
    grep -qF "$element" <<<"$nuspec" || fail "$package: its nuspec has no $element"
  done
  ! grep -q '\.pdb$' <<<"$names" || fail "$package has debug symbols; they belong in its snupkg"
  case $package in
    UniFace.Models.*) grep -qx LICENSE.txt <<<"$names" || fail "$package has no LICENSE.txt" ;;
    UniFace.Tool*) ;;
    *)
      grep -q '\.pdb$' <<<"$(unzip -Z1 "$feed/$package.$version.snupkg")" || fail "$package has no symbols"
      ! grep -E '\.(so|dylib)(\.|$)|^runtimes/' <<<"$names" || fail "$package has native libraries"
      ! grep -i 'id="libtorch' <<<"$nuspec" || fail "$package depends on libtorch" ;;
  esac
  printf '%8d KB  %s\n' $(($(wc -c <"$file") / 1000)) "$package"
done
tool=$feed/UniFace.Tool.$system.$version.nupkg
[ "$(wc -c <"$tool")" -lt $((250 * 1000 * 1000)) ] || fail "the tool has 250 MB or more"
! unzip -Z1 "$tool" | grep -E 'torch_python|runtimes/|android|ios' || fail "the tool has native libraries that it does not need"

# What follows has a package cache of its own: the user's may have the same version of our packages. Packages of others are taken from there.
export RestoreFallbackFolders=${NUGET_PACKAGES:-$HOME/.nuget/packages}
export NUGET_PACKAGES=$work/packages RestoreAdditionalProjectSources=$feed
mkdir -p "$work/bin" "$work/home"; ln -s "$(command -v dotnet)" "$work/bin/dotnet"
clean() { env -i PATH="$work/bin" HOME="$work/home" DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1 "$@"; }

step "dotnet tool install UniFace.Tool"
dotnet tool install UniFace.Tool --version "$version" --add-source "$feed" --tool-path "$work/tool"
uniface() { clean "$work/tool/uniface" "$@"; }
(cd "$work" && uniface data make photos --photos --people 4 --images 2 && uniface data make aligned --people 12 --images 6) >/dev/null
photos=("$work"/photos/*/*)
a=${photos[0]} b=${photos[1]} other=${photos[2]}
step "uniface verify"
code=0; uniface verify "$a" "$b" || code=$?
[ $code -le 1 ] || fail "uniface verify"
step "uniface demo --quick"
(cd "$work" && uniface demo --quick | tail -n 5)

# Copies a sample and builds it as it is: build NAME.
build() {
  mkdir -p "$work/samples"; cp -r "samples/$1" "$work/samples/"
  rm -rf "$work/samples/$1"/{bin,obj,packages.lock.json}
  # TorchSharp-cpu has the libtorch of every system; one is enough.
  sed -i.old -e "s/Include=\"TorchSharp-cpu\" Version=\"[^\"]*\"/Include=\"libtorch-cpu-$system\" Version=\"$(libtorch)\"/" \
    -e "s/\(Include=\"UniFace[^\"]*\" Version=\"\)[^\"]*/\1$version/" "$work/samples/$1"/*.csproj
  dotnet build "$work/samples/$1" -c Release -o "$work/out/$1" -v quiet -nologo || fail "samples/$1 does not build"
}
libtorch() { sed -n "s/.*\"libtorch-cpu-$system\" Version=\"\([^\"]*\)\".*/\1/p" Directory.Packages.props; }
run() { step "samples/$1"; build "$1"; (cd "$work" && clean dotnet "$work/out/$1/$1.dll" "${@:2}") || fail "samples/$1"; }
run Verify "$a" "$b" | tee "$work/verify.log"
run Gallery "$a" "$b"
run Train "$work/aligned" "$work/package" && [ -s "$work/package/model.onnx" ] || fail "samples/Train wrote no package"

step "samples/Train without libtorch"
rm -rf "$work/samples/Train/obj"; sed -i.old '/libtorch-cpu/d' "$work/samples/Train/Train.csproj"
dotnet build "$work/samples/Train" -c Release -o "$work/out/WithoutTorch" -v quiet -nologo
without=$(cd "$work" && clean dotnet "$work/out/WithoutTorch/Train.dll" "$work/aligned" "$work/never" 2>&1 || true)
grep -q "add the package TorchSharp-cpu to the program's project" <<<"$without" || fail "no word on libtorch: $without"

step "samples/Service and samples/UniFace.Client.Sample"
build Service; build UniFace.Client.Sample
(cd "$work" && exec env -i PATH="$work/bin" HOME="$work/home" dotnet "$work/out/Service/Service.dll" >"$work/service.log" 2>&1) & service=$!
trap 'kill $service 2>/dev/null; rm -rf "$work"' EXIT
client() { clean dotnet "$work/out/UniFace.Client.Sample/UniFace.Client.Sample.dll" http://127.0.0.1:5000 "$@"; }
for _ in $(seq 60); do client enrol Ann "$a" >"$work/enrol.log" 2>&1 && break; sleep 1; done
cat "$work/enrol.log"; client identify "$b" | tee "$work/identify.log"
grep -q Ann "$work/identify.log" || fail "the client identified nobody"
kill $service

if [ "$system" = linux-x64 ]; then
  step "samples/Aot"
  cp -r samples/Aot "$work/samples/"; rm -rf "$work/samples/Aot"/{bin,obj,packages.lock.json}
  sed -i "s/\(Include=\"UniFace[^\"]*\" Version=\"\)[^\"]*/\1$version/" "$work/samples/Aot/Aot.csproj"
  dotnet publish "$work/samples/Aot" -c Release -r linux-x64 -o "$work/out/Aot" -v quiet -nologo >"$work/aot.log" 2>&1 || { cat "$work/aot.log"; fail "AOT"; }
  ! grep -E "warning" "$work/aot.log" || fail "publishing for AOT has warnings"
  clean "$work/out/Aot/Aot" "$a" "$b" | tee "$work/aot.txt"
  cmp -s "$work/aot.txt" <(grep score "$work/verify.log") || fail "AOT gives another score"
fi
step "all packages work"
