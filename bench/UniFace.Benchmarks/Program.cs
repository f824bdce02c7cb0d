using BenchmarkDotNet.Running;

// Pieces, each by itself: dotnet run -c Release --project bench/UniFace.Benchmarks -- --filter '*Decode*'
// Whole speeds against the peers: bench/compare.sh
BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(args);
