using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;

// Usage: dotnet run -c Release --project bench/UniFace.MicroBenchmarks -- --filter '*Decode*'   ('*' runs all, which takes minutes)
// Benchmarks run in this process, because the projects that BenchmarkDotNet generates do not pass our analyzers. See bench/compare.sh for peers.
BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(
    args,
    ManualConfig.Create(DefaultConfig.Instance).AddJob(Job.ShortRun.WithToolchain(InProcessEmitToolchain.Instance)));
