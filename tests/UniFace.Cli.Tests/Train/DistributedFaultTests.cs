using System.Diagnostics;
using System.Text.RegularExpressions;
using UniFace.TestSupport;

namespace UniFace.Cli.Tests.Train;

/// <summary>
/// Faults of one of two ranks: the job ends with one line that names the rank, and the last good checkpoint resumes to the bytes of a run without a fault.
/// </summary>
public sealed class DistributedFaultTests : IClassFixture<DistributedFaultTests.Reference>
{
    private static readonly string[] Options = [.. RankRuns.Recipe.Where(option => option != "--sync-batch-norm"), "--batch", "4", "--epochs", "8"];

    private readonly Reference reference;
    private readonly RankRuns runs;

    public DistributedFaultTests(Reference reference)
    {
        Mpiexec.Require();
        this.reference = reference;
        runs = reference.Runs!;
    }

    [Theory]
    [InlineData(0, 20_000)]
    [InlineData(1, 200)]
    public void A_full_disk_of_one_rank_is_named(int rank, int bytes)
    {
        string run = $"full{rank}";
        using Process job = runs.StartLimited(["train", "faces", .. Options, "--out", run]);
        using Process limit = Process.Start("prlimit", ["--pid", $"{runs.WaitForRank(job, run, rank, "previous.ckpt")}", $"--fsize={bytes}"]);
        string line = Fails(job, $"error: rank {rank}: ");
        Assert.Contains("is larger than its file system or the limit of the process", line, StringComparison.Ordinal);
        Assert.Contains("is good: make room, and resume the run", line, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(Path.Combine(runs.Folder, run), ".*.tmp"));
        Resumes(run);
    }

    [Fact]
    public void An_image_that_a_rank_cannot_decode_is_named_with_the_rank()
    {
        string set = Path.Combine(runs.Folder, "damaged", "faces");
        CopyTree(Path.Combine(runs.Folder, "faces"), set);
        string image = Directory.GetFiles(set, "*.*", SearchOption.AllDirectories).Where(path => Path.GetDirectoryName(path) != set)
            .Order(StringComparer.Ordinal).Last();
        byte[] good = File.ReadAllBytes(image);
        File.WriteAllBytes(image, [.. good[..^(good.Length / 2)], .. new byte[good.Length / 2]]);
        string line = Fails(runs.Start(2, null, ["train", set, .. Options, "--out", "damaged/run"]), "error: rank [01]: ");
        Assert.Contains(Path.GetRelativePath(set, image), line, StringComparison.Ordinal);
        File.WriteAllBytes(image, good);
        Assert.Equal(reference.Sha256, runs.Sha(2, ["train", set, .. Options, "--out", "damaged/run"]));
    }

    /// <summary>Of the leftovers of killed processes, nothing is read, and unfinished files are deleted.</summary>
    [Fact]
    public void A_truncated_checkpoint_is_refused_and_the_one_before_it_resumes()
    {
        string run = Path.Combine(runs.Folder, "truncated"), last = Path.Combine(run, "last.ckpt");
        CopyTree(Path.Combine(runs.Folder, Reference.Run), run);
        using (FileStream file = new(last, FileMode.Open))
        {
            file.SetLength(file.Length * 2 / 3);
        }

        string line = Fails(runs.Start(2, null, "train", "--resume", "truncated"), "error: ");
        Assert.Contains("last.ckpt", line, StringComparison.Ordinal);
        Assert.Contains("previous.ckpt: rename it to last.ckpt", line, StringComparison.Ordinal);
        File.Move(Path.Combine(run, "previous.ckpt"), last, overwrite: true);
        string[] unfinished = [".next.ckpt.123.1.tmp", ".centers-00000009-0a1b2c3d-2-of-2.part.124.7.tmp", ".training.hashes.123.1.tmp"];
        foreach (string name in unfinished)
        {
            File.WriteAllBytes(Path.Combine(run, name), new byte[100]);
        }

        Resumes("truncated");
        Assert.DoesNotContain(unfinished, name => File.Exists(Path.Combine(run, name)));
    }

    /// <summary>A signal to mpiexec reaches all ranks; one to a single rank, as a scheduler may send, stops the others too.</summary>
    [Theory]
    [InlineData(null)]
    [InlineData(0)]
    [InlineData(1)]
    public void Ctrl_C_saves_on_all_ranks(int? rank)
    {
        string run = $"stopped{rank}";
        using Process job = runs.Start(2, null, ["train", "faces", .. Options, "--out", run]);
        int process = runs.WaitForRank(job, run, rank ?? 1, "last.ckpt");
        using Process interrupt = Process.Start("kill", ["-INT", $"{(rank is null ? job.Id : process)}"]);
        (int code, _, string error) = Mpiexec.Finish(job);
        Assert.True(code == 130, $"{code}: {error}");
        Assert.Single(Regex.Matches(error, "^saved at step [0-9]+; continue with: uniface train --resume " + run + "$", RegexOptions.Multiline));
        Assert.DoesNotContain("error:", error, StringComparison.Ordinal);
        Resumes(run);
    }

    /// <summary>A rank that is stopped for a moment holds the others up, and nothing else.</summary>
    [Fact]
    public void A_rank_that_goes_on_in_time_does_no_harm()
    {
        using Process job = runs.Start(2, null, ["train", "faces", .. Options, "--out", "paused", "--json"]);
        int rank = runs.WaitForRank(job, "paused", 1, "last.ckpt");
        using Process stop = Process.Start("kill", ["-STOP", $"{rank}"]);
        stop.WaitForExit();
        Assert.Equal(0, stop.ExitCode);
        Thread.Sleep(1000);
        using Process go = Process.Start("kill", ["-CONT", $"{rank}"]);
        (int code, string output, string error) = Mpiexec.Finish(job);
        Assert.True(code == 0, error);
        Assert.Contains(reference.Sha256!, output, StringComparison.Ordinal);
    }

    /// <summary>The only error of a job that must end with exit code 2 within a minute.</summary>
    private static string Fails(Process job, string start)
    {
        Stopwatch time = Stopwatch.StartNew();
        (int code, _, string error) = Mpiexec.Finish(job);
        Assert.True(code == 2, $"{code}: {error}");
        Assert.True(time.Elapsed < TimeSpan.FromMinutes(1), $"{time.Elapsed}");
        string line = Assert.Single(error.Split('\n'), line => line.StartsWith("error:", StringComparison.Ordinal));
        Assert.Matches("^" + start, line);
        Assert.DoesNotContain("   at ", error, StringComparison.Ordinal);
        return line;
    }

    private void Resumes(string run) => Assert.Equal(reference.Sha256, runs.Sha(2, "train", "--resume", run));

    private static void CopyTree(string from, string to)
    {
        Directory.CreateDirectory(to);
        foreach (string folder in Directory.GetDirectories(from, "*", SearchOption.AllDirectories))
        {
            Directory.CreateDirectory(Path.Combine(to, Path.GetRelativePath(from, folder)));
        }

        foreach (string file in Directory.GetFiles(from, "*", SearchOption.AllDirectories))
        {
            File.Copy(file, Path.Combine(to, Path.GetRelativePath(from, file)));
        }
    }

    /// <summary>A run without a fault.</summary>
    public sealed class Reference : IDisposable
    {
        public const string Run = "whole";

        public Reference()
        {
            if (Mpiexec.Program is not null)
            {
                Runs = new RankRuns();
                Sha256 = Runs.Sha(2, ["train", "faces", .. Options, "--out", Run]);
            }
        }

        /// <summary>Null if mpiexec is not installed.</summary>
        public RankRuns? Runs { get; }

        public string? Sha256 { get; }

        public void Dispose() => Runs?.Dispose();
    }
}
