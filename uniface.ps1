# Builds the tool if its sources have changed, installs the face detector, and runs: ./uniface.ps1 demo
$ErrorActionPreference = 'Stop'
$root = $PSScriptRoot
if (-not $env:UNIFACE_HOME) { $env:UNIFACE_HOME = Join-Path $root '.tools' }
$env:DOTNET_NOLOGO = '1'
$env:DOTNET_CLI_TELEMETRY_OPTOUT = '1'
if (-not (Get-Command dotnet -ErrorAction SilentlyContinue) -or -not (dotnet --list-sdks | Where-Object { $_ -match '^1\d\.' })) {
    [Console]::Error.WriteLine('setup: the .NET 10 SDK is not on the PATH. Install it and try again.')
    exit 2
}

$program = Join-Path $root 'src/UniFace.Cli/bin/Release/net10.0/UniFace.Cli.dll'
$sources = @('src', 'bench', 'build', 'Directory.Build.props', 'Directory.Build.targets', 'Directory.Packages.props', 'global.json') |
    ForEach-Object { Join-Path $root $_ }
$built = if (Test-Path $program) { (Get-Item $program).LastWriteTimeUtc } else { [DateTime]::MinValue }
$newer = Get-ChildItem $sources -Recurse -File |
    Where-Object { $_.LastWriteTimeUtc -gt $built -and $_.FullName -notmatch '[\\/](obj|bin)[\\/]' } | Select-Object -First 1

# For Windows PowerShell, a line on a program's redirected standard error is an error.
$ErrorActionPreference = 'Continue'
if ($newer) {
    [Console]::Error.WriteLine('setup: building (once)')
    $options = @($env:UNIFACE_BUILD -split ' ' | Where-Object { $_ })
    $log = dotnet build (Join-Path $root 'src/UniFace.Cli') -c Release -v quiet -nologo @options 2>&1
    if ($LASTEXITCODE -ne 0) {
        $log | ForEach-Object { [Console]::Error.WriteLine($_) }
        exit 2
    }

    (Get-Item $program).LastWriteTimeUtc = [DateTime]::UtcNow
}

foreach ($model in @('face_detection', 'face_mesh')) {
    if (-not (Test-Path (Join-Path $env:UNIFACE_HOME "node_modules/@mediapipe/$model"))) {
        $log = dotnet $program models pull "mediapipe-$($model -replace '_', '-')" 2>&1
        if ($LASTEXITCODE -ne 0) {
            $log | ForEach-Object { [Console]::Error.WriteLine($_) }
            [Console]::Error.WriteLine("setup: continuing without the default detector; 'uniface doctor' shows what is missing.")
            break
        }
    }
}

dotnet $program @args
exit $LASTEXITCODE
