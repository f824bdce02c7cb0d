#!/usr/bin/env bash
# Packs everything into a folder feed, checks the packages, and builds and runs programs that reference only them: the tool, the README's first program, the
# snippets of the packages' READMEs and samples/. They run without npm, with an empty home folder. Third-party packages come from the package cache or
# the network. Takes seven minutes.
#   tests/packages.sh [FEED]   with a feed, its packages are tested and nothing is packed
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd); cd "$root"
export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1 MSBUILDDISABLENODEREUSE=1
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
feed=${1:-$work/feed}
case $(uname -s) in Linux) system=linux-x64 ;; Darwin) system=osx-arm64 ;; *) system=win-x64 ;; esac
step() { echo "== $*  ($(date +%T))"; }
fail() { echo "FAILED: $*" >&2; exit 1; }
# Shows the output of a command only if it fails.
quietly() { "$@" >"$work/log" 2>&1 || { cat "$work/log"; return 1; }; }
setup/unzip.sh

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
      grep -qx "lib/net10.0/$package.xml" <<<"$names" || fail "$package has no documentation for IntelliSense"
      [ "$(unzip -p "$file" "lib/net10.0/$package.dll" | grep -acF "$root")" = 0 ] || fail "$package.dll has paths of this machine"
      mkdir -p "$work/symbols"; unzip -p "$feed/$package.$version.snupkg" "lib/net10.0/$package.pdb" >"$work/symbols/$package.pdb"
      ! grep -E '\.(so|dylib)(\.|$)|^runtimes/' <<<"$names" || fail "$package has native libraries"
      ! grep -i 'id="libtorch' <<<"$nuspec" || fail "$package depends on libtorch" ;;
  esac
  printf '%8d KB  %s\n' $(($(wc -c <"$file") / 1000)) "$package"
done
paths=$(dotnet run --file build/Packaging/PdbPaths.cs -- "$work"/symbols/*.pdb) || fail "the symbols have paths of the machine that built them: $paths"
tool=$feed/UniFace.Tool.$system.$version.nupkg
[ "$(wc -c <"$tool")" -lt $((250 * 1000 * 1000)) ] || fail "the tool has 250 MB or more"
! unzip -Z1 "$tool" | grep -E 'torch_python|runtimes/|android|ios' || fail "the tool has native libraries that it does not need"

# What follows has a package cache of its own: the user's may have the same version of our packages. Third-party packages are taken from there.
mkdir "$work/others"
for folder in "${NUGET_PACKAGES:-$HOME/.nuget/packages}"/*/; do
  case $(basename "$folder") in uniface*) ;; *) ln -s "${folder%/}" "$work/others/" ;; esac
done
export RestoreFallbackFolders=$work/others
export NUGET_PACKAGES=$work/packages
printf '<configuration><packageSources><add key="UniFace" value="%s" /></packageSources></configuration>\n' "$feed" >"$work/nuget.config"
mkdir -p "$work/bin" "$work/home"; ln -s "$(command -v dotnet)" "$work/bin/dotnet"
clean() { env -i PATH="$work/bin" HOME="$work/home" DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1 "$@"; }

step "dotnet tool install UniFace.Tool"
(cd "$work" && dotnet tool install UniFace.Tool --tool-path tool) || fail "dotnet tool install"
uniface() { clean "$work/tool/uniface" "$@"; }
(cd "$work" && uniface data make photos --photos --people 4 --images 2 && uniface data make aligned --people 12 --images 6) >/dev/null
photos=("$work"/photos/*/*)
a=${photos[0]} b=${photos[1]} other=${photos[2]}
step "uniface verify"
uniface verify "$a" "$b" || fail "uniface verify: two photos of one person, exit code $?"
code=0; uniface verify "$a" "$other" || code=$?
[ $code = 1 ] || fail "uniface verify: photos of two people, exit code $code"
step "uniface demo --quick"
(cd "$work" && uniface demo --quick | tail -n 5)

# A program with the packages and the C# of a Markdown file: snippet README NAME.
snippet() {
  local code; code=$(awk '/^```csharp/ {on = 1; next} /^```/ && on {exit} on' "$1")
  case $code in *WebApplication*) dotnet new web -o "$work/$2" ;; *) dotnet new console -o "$work/$2" ;; esac >/dev/null
  for package in $(awk '/^```csharp/ {exit} $1 $2 $3 == "dotnetaddpackage" {print $4}' "$1"); do
    # TorchSharp-cpu has the libtorch of every system, and compiling needs none.
    [[ $package = TorchSharp-* ]] || (cd "$work/$2" && quietly dotnet add package "$package") || fail "dotnet add package $package"
  done
  printf '%s\n' "$code" >"$work/$2/Program.cs"
  quietly dotnet build "$work/$2" -o "$work/out/$2" -v quiet -nologo -warnaserror -p:NoWarn=CS8321 || fail "the program of $1 does not build"
}
step "the README's first program"
snippet README.md First
[ -z "$(find "$work/out/First" -name 'libSkia*.pdb' -o -path '*/ios/*' -type f -o -path '*/android/*' -type f)" ] || fail "natives that nobody can use"
mkdir "$work/first"; cp "$a" "$work/first/a.jpg"; cp "$b" "$work/first/b.jpg"
(cd "$work/first" && clean dotnet "$work/out/First/First.dll") || fail "the README's first program"

step "the programs of the packages' READMEs"
for readme in src/*/README.md; do
  ! grep -q '^```csharp' "$readme" || snippet "$readme" "Readme.$(basename "$(dirname "$readme")")"
done

step "FaceRecognizer.Open with a folder, an .onnx file and a name"
mkdir "$work/One"; cp "$work/First/First.csproj" "$work/One/One.csproj"; sed -i.old /DlibResNet/d "$work/One/One.csproj"
echo 'using UniFace; using UniFace.Vision; Console.WriteLine($"{FaceRecognizer.Open(args[0]).Verify(args[1], args[2]).Score:F4}");' >"$work/One/Program.cs"
quietly dotnet build "$work/One" -o "$work/out/One" -v quiet -nologo -warnaserror || fail "a program with UniFace.Vision alone does not build"
open() { clean dotnet "$work/out/One/One.dll" "$1" "$a" "$b" 2>&1 || true; }
model=$work/out/First/models/dlib-resnet
score=$(open "$model"); [[ $score =~ ^0\.[0-9]{4}$ ]] || fail "Open of a folder: $score"
[ "$(open "$model/model.onnx")" = "$score" ] || fail "Open of the .onnx file of a package"
missing=$(open dlib-resnet); grep -q "add the package UniFace.Models.DlibResNet" <<<"$missing" || fail "Open of a missing model: $missing"
mkdir -p "$work/out/One/models"; cp -r "$model" "$work/out/One/models/"
[ "$(open dlib-resnet)" = "$score" ] || fail "Open of a name"

# Copies a sample and builds it as it is: build NAME.
build() {
  mkdir -p "$work/samples"; cp -r "samples/$1" "$work/samples/"
  rm -rf "$work/samples/$1"/{bin,obj,packages.lock.json}
  # TorchSharp-cpu has the libtorch of every system; one is enough.
  sed -i.old -e "s/Include=\"TorchSharp-cpu\" Version=\"[^\"]*\"/Include=\"libtorch-cpu-$system\" Version=\"$(libtorch)\"/" \
    -e "s/\(Include=\"UniFace[^\"]*\" Version=\"\)[^\"]*/\1$version/" "$work/samples/$1"/*.csproj
  quietly dotnet build "$work/samples/$1" -c Release -o "$work/out/$1" -v quiet -nologo || fail "samples/$1 does not build"
}
libtorch() { sed -n "s/.*\"libtorch-cpu-$system\" Version=\"\([^\"]*\)\".*/\1/p" Directory.Packages.props; }
run() { step "samples/$1"; build "$1"; (cd "$work" && clean dotnet "$work/out/$1/$1.dll" "${@:2}") || fail "samples/$1"; }
run Verify "$a" "$b" | tee "$work/verify.log"
run Gallery "$a" "$b"
run Train "$work/aligned" "$work/package"; [ -s "$work/package/model.onnx" ] || fail "samples/Train wrote no package"
cp "$work/package/model.onnx" "$work/bare.onnx"
bare=$(open "$work/bare.onnx"); [[ $bare =~ ^-?[01]\.[0-9]{4}$ ]] || fail "Open of a bare .onnx file: $bare"

step "samples/Train without libtorch"
rm -rf "$work/samples/Train/obj"; sed -i.old '/libtorch-cpu/d' "$work/samples/Train/Train.csproj"
quietly dotnet build "$work/samples/Train" -c Release -o "$work/out/WithoutTorch" -v quiet -nologo
without=$(cd "$work" && clean dotnet "$work/out/WithoutTorch/Train.dll" "$work/aligned" "$work/never" 2>&1 || true)
grep -q "add the package TorchSharp-cpu to the program's project" <<<"$without" || fail "no word on libtorch: $without"

step "samples/Service and samples/UniFace.Client.Sample"
build Service; build UniFace.Client.Sample
(cd "$work" && exec env -i PATH="$work/bin" HOME="$work/home" dotnet "$work/out/Service/Service.dll" >"$work/service.log" 2>&1) & service=$!
trap 'kill $service 2>/dev/null || :; rm -rf "$work"' EXIT
client() { clean dotnet "$work/out/UniFace.Client.Sample/UniFace.Client.Sample.dll" http://127.0.0.1:5000 "$@"; }
for _ in $(seq 60); do client enrol Ann "$a" >"$work/enrol.log" 2>&1 && break; sleep 1; done
cat "$work/enrol.log"; client identify "$b" | tee "$work/identify.log"
grep -q Ann "$work/identify.log" || fail "the client identified nobody"
kill $service

setup/aot.sh
if [ "$system" != linux-x64 ] || ! { command -v clang || command -v gcc; } >/dev/null; then step "samples/Aot is skipped"; else
  step "samples/Aot"
  cp -r samples/Aot "$work/samples/"; rm -rf "$work/samples/Aot"/{bin,obj,packages.lock.json}
  sed -i "s/\(Include=\"UniFace[^\"]*\" Version=\"\)[^\"]*/\1$version/" "$work/samples/Aot/Aot.csproj"
  quietly dotnet publish "$work/samples/Aot" -c Release -r linux-x64 -o "$work/out/Aot" -v quiet -nologo || fail "AOT"
  ! grep -E "warning" "$work/log" || fail "publishing for AOT has warnings"
  clean "$work/out/Aot/Aot" "$a" "$b" | tee "$work/aot.txt"
  cmp -s "$work/aot.txt" <(grep score "$work/verify.log") || fail "AOT gives another score"
fi
step "all packages work"
