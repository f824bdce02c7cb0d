using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;

// Pieces, each by itself: dotnet run -c Release --project bench/UniFace.MicroBenchmarks -- --filter '*Decode*'   ('*' for all: some minutes)
// In this process: one of its own would build itself by our own strict rules. Whole speeds against the peers: bench/compare.sh
BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(
    args,
    ManualConfig.Create(DefaultConfig.Instance).AddJob(Job.ShortRun.WithToolchain(InProcessEmitToolchain.Instance)));
