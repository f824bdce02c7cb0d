using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using UniFace.TestSupport;

namespace UniFace.Cli.Tests.Train;

/// <summary>Runs of `mpiexec -n N uniface train` in a temporary folder with a small data set, "faces".</summary>
public sealed class RankRuns : IDisposable
{
    /// <summary>Options of a small training. Rounding grows in batch norms over few images; at this rate it does not reach the compared digits.</summary>
    public static readonly string[] Recipe =
    [
        "--backbone", "mobilefacenet", "--width", "0.25", "--embedding-size", "16", "--checkpoint-every", "2", "--seed", "7", "--augment", "flip,color",
        "--sync-batch-norm", "--threads", "1", "--lr", "0.00001", "--ema", "0.9",
    ];

    private static readonly string[] Program = ["dotnet", Path.Combine(AppContext.BaseDirectory, "UniFace.Cli.dll")];

    public RankRuns()
    {
        Mpiexec.Require();
        CliProcess.RunIn(Folder, "data", "make", "faces", "--people", "7", "--images", "4").Expect(0);
    }

    public string Folder { get; } = Directory.CreateTempSubdirectory("uniface-ranks-").FullName;

    public void Dispose() => Directory.Delete(Folder, recursive: true);

    /// <summary>The weights' SHA-256 of a run that must succeed.</summary>
    public string Sha(int ranks, params string[] arguments)
    {
        (int code, string output, string error) = Run(ranks, [.. arguments, "--json"]);
        Assert.True(code == 0, error);
        return JsonDocument.Parse(output).RootElement.GetProperty("sha256").GetString()!;
    }

    public (int Code, string Out, string Error) Run(int ranks, params string[] arguments) => Mpiexec.Finish(Start(ranks, null, arguments));

    public Process Start(int ranks, IReadOnlyDictionary<string, string>? environment, params string[] arguments) =>
        Mpiexec.Start(Folder, ranks, environment, [.. Program, .. arguments]);

    /// <summary>Starts two ranks whose writes beyond `ulimit -f` fail instead of ending the process.</summary>
    public Process StartLimited(params string[] arguments) =>
        Mpiexec.Start(Folder, 2, null, ["sh", "-c", "trap '' XFSZ; exec \"$@\"", "sh", .. Program, .. arguments]);

    /// <summary>The process of a rank of a run that has written a file.</summary>
    public int WaitForRank(Process job, string run, int rank, string file)
    {
        Stopwatch waited = Stopwatch.StartNew();
        string sign = Path.Combine(Folder, run, "ranks", $"rank-{rank}");
        int process;
        while (!File.Exists(Path.Combine(Folder, run, file)) || !File.Exists(sign)
            || !int.TryParse(File.ReadLines(sign).FirstOrDefault(), CultureInfo.InvariantCulture, out process))
        {
            Assert.False(job.HasExited, "the job ended");
            Assert.True(waited.Elapsed < TimeSpan.FromMinutes(5), $"{file} was not written");
            Thread.Sleep(20);
        }

        return process;
    }
}
