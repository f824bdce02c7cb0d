using System.Diagnostics;
using System.Formats.Tar;
using System.Text.Json;
using System.Text.RegularExpressions;
using UniFace.Data;
using UniFace.TestSupport;

namespace UniFace.Cli.Tests.Train;

/// <summary>
/// `mpiexec -n N uniface train` with real processes: it equals one process on the same global batch, its checkpoints resume on any number of ranks, and
/// a rank that is lost or cannot go on is named.
/// </summary>
public sealed class DistributedTrainTests : IDisposable
{
    private static readonly string[] Recipe = RankRuns.Recipe;

    private readonly RankRuns runs = new();
    private readonly string folder;

    public DistributedTrainTests() => folder = runs.Folder;

    public void Dispose() => runs.Dispose();

    [Fact]
    public void Ranks_equal_one_process_and_only_the_first_prints()
    {
        JsonElement one = CliProcess.RunIn(folder, ["train", "faces", .. Recipe, "--batch", "12", "--epochs", "2", "--out", "one", "--json"]).Expect(0).Json();
        Assert.Equal(1, one.GetProperty("ranks").GetInt32());
        foreach (int ranks in new[] { 2, 3 })
        {
            (int code, string output, string error) = runs.Run(
                ranks, ["train", "faces", .. Recipe, "--batch", $"{12 / ranks}", "--epochs", "2", "--out", $"run{ranks}", "--json"]);
            Assert.True(code == 0, error);
            JsonElement all = JsonDocument.Parse(output).RootElement;
            Assert.Equal(ranks, all.GetProperty("ranks").GetInt32());
            Assert.Equal(one.GetProperty("steps").GetInt64(), all.GetProperty("steps").GetInt64());
            double loss = one.GetProperty("loss").GetDouble();
            Assert.Equal(loss, all.GetProperty("loss").GetDouble(), 1e-5 * loss);
            Assert.Single(Regex.Matches(error, "epoch 2: loss"));

            // docs/distributed.md: b * D * 4 bytes of embeddings, and (B + N) * (D + 2) * 4 of gradients.
            Assert.Contains($"head 2 calls, {(12 / ranks * 16 * 4) + ((12 + ranks) * 18 * 4)} bytes", error, StringComparison.Ordinal);
        }
    }

    /// <summary>Records with an index and people held out, whom rank 0 reads for the hash, and a folder of tars.</summary>
    [Fact]
    public void Ranks_read_records_and_shards_with_the_hash_and_the_loss_of_one_process()
    {
        string[] images = [.. Directory.GetFiles(Path.Combine(folder, "faces"), "*.*", SearchOption.AllDirectories)
            .Where(path => Path.GetDirectoryName(path) != Path.Combine(folder, "faces")).Order(StringComparer.Ordinal)];
        Assert.Equal(28, images.Length);
        RecordIOWriter records = new();
        Directory.CreateDirectory(Path.Combine(folder, "shards"));
        foreach ((int shard, string[] part) in images.Chunk(12).Index())
        {
            using TarWriter tar = new(File.Create(Path.Combine(folder, "shards", $"{shard}.tar")));
            foreach (string path in part)
            {
                tar.WriteEntry(path, Path.GetRelativePath(Path.Combine(folder, "faces"), path));
                records.AddImage(Array.IndexOf(images, path) + 1, File.ReadAllBytes(path), Array.IndexOf(images, path) / 4);
            }
        }

        records.Save(folder, under: "records");
        CliProcess.RunIn(folder, "data", "index", "records").Expect(0);
        foreach ((string set, int ranks, string[] more) in new[] { ("records", 2, new[] { "--val-people", "0.3" }), ("shards", 3, []) })
        {
            string[] train = ["train", set, .. Recipe, .. more, "--epochs", "2", "--json", "--batch"];
            double loss = CliProcess.RunIn(folder, [.. train, "12", "--out", $"{set}-one"]).Expect(0).Json().GetProperty("loss").GetDouble();
            (int code, string output, string error) = runs.Run(ranks, [.. train, $"{12 / ranks}", "--out", $"{set}-ranks"]);
            Assert.True(code == 0, error);
            Assert.Equal(loss, JsonDocument.Parse(output).RootElement.GetProperty("loss").GetDouble(), 1e-5 * loss);
            Assert.Equal(Hash($"{set}-one"), Hash($"{set}-ranks"));
            Assert.Equal(
                File.ReadAllBytes(Path.Combine(folder, $"{set}-one", "data.hashes")), File.ReadAllBytes(Path.Combine(folder, $"{set}-ranks", "data.hashes")));
        }

        using FaceDataset faces = FaceDatasets.Open(Path.Combine(folder, "faces"));
        Assert.Equal(faces.ComputeHash(), Hash("shards-ranks"));

        string Hash(string run) => JsonDocument.Parse(File.ReadAllText(Path.Combine(folder, run, "run.json"))).RootElement.GetProperty("dataHash").GetString()!;
    }

    /// <summary>On machines that do not share their files, a path may name other data.</summary>
    [Fact]
    public void Ranks_with_different_data_are_refused()
    {
        foreach (string machine in new[] { "a", "b" })
        {
            CliProcess.RunIn(folder, "data", "make", $"{machine}/faces", "--people", "7", "--images", "4", "--seed", machine == "a" ? "1" : "2").Expect(0);
        }

        string[] train =
        [
            "dotnet", Path.Combine(AppContext.BaseDirectory, "UniFace.Cli.dll"), "train", "faces", .. Recipe, "--batch", "6", "--epochs", "1", "--out",
            Path.Combine(folder, "run"),
        ];
        (int code, _, string error) = Mpiexec.Finish(Mpiexec.Start(
            folder, 1, null, ["-wdir", Path.Combine(folder, "a"), .. train, ":", "-n", "1", "-wdir", Path.Combine(folder, "b"), .. train]));
        Assert.Equal(2, code);
        string line = Assert.Single(error.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.StartsWith($"error: rank 1: {Path.Combine(folder, "b", "faces")} is not the data of rank 0", line, StringComparison.Ordinal);
        Assert.False(File.Exists(Path.Combine(folder, "run", "run.json")));
    }

    [Fact]
    public void A_checkpoint_resumes_on_another_number_of_ranks_with_the_same_weights()
    {
        string expected = runs.Sha(3, ["train", "faces", .. Recipe, "--batch", "4", "--epochs", "1", "--out", "run"]);
        Assert.Equal(expected, CliProcess.RunIn(folder, "train", "--resume", "run", "--json").Expect(0).Json().GetProperty("sha256").GetString());
        Assert.Equal(expected, runs.Sha(2, "train", "--resume", "run"));
        CliProcess.RunIn(folder, "export", "run", "--out", "package").Expect(0);

        // Three more epochs on two ranks and on one, from the parts of three.
        Copy("run", "alone");
        (int code, string output, string error) = runs.Run(2, "train", "--resume", "run", "--epochs", "4", "--keep", "3", "--json");
        Assert.True(code == 0, error);
        double loss = CliProcess.RunIn(folder, "train", "--resume", "alone", "--epochs", "4", "--json").Expect(0).Json().GetProperty("loss").GetDouble();
        Assert.Equal(loss, JsonDocument.Parse(output).RootElement.GetProperty("loss").GetDouble(), 1e-5 * loss);
        string[] parts = [.. Directory.GetFiles(Path.Combine(folder, "run"), "*.part").Select(path => Path.GetFileName(path)!)];
        Assert.Equal(3 * 2, parts.Count(part => part.EndsWith("-of-2.part", StringComparison.Ordinal)));
        Assert.Equal(3, Directory.GetFiles(Path.Combine(folder, "run"), "*.ckpt").Length);
        Assert.Empty(Directory.GetFiles(Path.Combine(folder, "alone"), "*.part")); // The checkpoints that named them were replaced.
    }

    [Fact]
    public void A_killed_rank_is_named_and_the_run_resumes_to_the_same_bytes()
    {
        string expected = runs.Sha(2, ["train", "faces", .. Recipe, "--batch", "4", "--epochs", "4", "--out", "whole"]);
        using Process job = runs.Start(2, null, ["train", "faces", .. Recipe, "--batch", "4", "--epochs", "4", "--out", "killed"]);
        int killed = runs.WaitForRank(job, "killed", 1, "last.ckpt");
        Process.GetProcessById(killed).Kill();
        (int code, _, string error) = Mpiexec.Finish(job);
        Assert.NotEqual(0, code);
        Assert.Single(Regex.Matches(error, $@"error: rank 1 \(process {killed} on .*\) was killed"));
        Assert.Equal(expected, runs.Sha(2, "train", "--resume", "killed"));
    }

    [Fact]
    public void A_stopped_rank_is_named()
    {
        Dictionary<string, string> environment = new() { ["UNIFACE_MPI_TIMEOUT"] = "4" };
        using Process job = runs.Start(2, environment, ["train", "faces", .. Recipe, "--batch", "4", "--epochs", "1000", "--out", "run"]);
        int stopped = runs.WaitForRank(job, "run", 1, "previous.ckpt");
        using Process stop = Process.Start("kill", ["-STOP", $"{stopped}"]);
        (int code, _, string error) = Mpiexec.Finish(job);
        Assert.NotEqual(0, code);
        Assert.Single(Regex.Matches(error, $@"error: rank 1 \(process {stopped} on .*\) has given no sign of life"));
    }

    [Fact]
    public void A_damaged_part_is_refused()
    {
        _ = runs.Sha(2, ["train", "faces", .. Recipe, "--batch", "4", "--epochs", "1", "--out", "run"]);
        string[] parts = [.. Directory.GetFiles(Path.Combine(folder, "run"), "*-2-of-2.part").OrderBy(File.GetLastWriteTimeUtc)];
        byte[] good = File.ReadAllBytes(parts[^1]);
        foreach ((string message, byte[]? bytes) in new (string, byte[]?)[]
        {
            ("is damaged: its SHA-256", [.. good[..^1], (byte)(good[^1] ^ 1)]),
            (Path.GetFileName(parts[^1]), good[..(good.Length / 2)]),
            ("no such file", null),
        })
        {
            File.Delete(parts[^1]);
            if (bytes is not null)
            {
                File.WriteAllBytes(parts[^1], bytes);
            }

            (int code, _, string error) = runs.Run(2, "train", "--resume", "run", "--epochs", "2");
            Assert.Equal(2, code);
            string line = Assert.Single(error.Split('\n', StringSplitOptions.RemoveEmptyEntries));
            Assert.StartsWith("error: rank 1: ", line, StringComparison.Ordinal);
            Assert.Contains(message, line, StringComparison.Ordinal);
            Assert.Contains(message, CliProcess.RunIn(folder, "train", "--resume", "run", "--epochs", "2").Expect(2).Error, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void What_ranks_cannot_do_is_refused_in_one_line()
    {
        Refused("there are 7 people for 8 processes", 8, "train", "faces", "--out", "run", "--batch", "1");
        Refused("'--no-such' is not an option", 2, "train", "faces", "--no-such");
        Refused("nothing does not exist", 2, "train", "nothing", "--out", "run");
        Assert.False(Directory.Exists(Path.Combine(folder, "run")) && File.Exists(Path.Combine(folder, "run", "run.json")));
    }

    private void Refused(string message, int ranks, params string[] arguments)
    {
        (int code, _, string error) = runs.Run(ranks, arguments);
        Assert.Equal(2, code);
        string line = Assert.Single(error.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.Contains(message, line, StringComparison.Ordinal);
    }

    private void Copy(string from, string to)
    {
        Directory.CreateDirectory(Path.Combine(folder, to));
        foreach (string file in Directory.GetFiles(Path.Combine(folder, from)))
        {
            File.Copy(file, Path.Combine(folder, to, Path.GetFileName(file)));
        }
    }
}
