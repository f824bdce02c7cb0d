using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace UniFace.Cli.Tests.Train;

/// <summary>A run that is killed and resumed ends with the same bytes as an uninterrupted one; invalid runs are refused before anything is written.</summary>
public sealed class TrainCommandTests : IDisposable
{
    private static readonly string[] Recipe = [
        "--backbone", "mobilefacenet", "--width", "0.25", "--embedding-size", "16", "--batch", "8", "--checkpoint-every", "2", "--seed", "7"];
    private readonly string folder = Directory.CreateTempSubdirectory("uniface-train-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void Run_killed_repeatedly_ends_with_the_same_bytes_as_an_uninterrupted_run()
    {
        MakeFaces();
        CliResult whole = CliProcess.RunIn(folder, ["train", "faces", .. Recipe, "--epochs", "3", "--out", "whole", "--json"]).Expect(0);
        JsonElement expected = whole.Json();
        Assert.Equal(3, expected.GetProperty("epochs").GetInt32());
        Assert.Equal(9, expected.GetProperty("steps").GetInt32());
        Assert.Equal(64, expected.GetProperty("sha256").GetString()!.Length);
        Assert.True(expected.GetProperty("imagesPerSecond").GetDouble() > 0);
        Assert.True(double.IsFinite(expected.GetProperty("loss").GetDouble()));
        Assert.EndsWith("whole", expected.GetProperty("run").GetString(), StringComparison.Ordinal);

        // Killed at points of its progress: before the first checkpoint, in the first epoch, and after it.
        foreach ((string file, int rows) in new[] { ("run.json", 1), ("last.ckpt", 1), ("metrics.jsonl", 3) })
        {
            using Process process = CliProcess.Start(folder, Continue());
            WaitFor(process, () => Lines("killed", file) >= rows);
            process.Kill();
            process.WaitForExit();
        }

        JsonElement actual = CliProcess.RunIn(folder, Continue()).Expect(0).Json();
        Assert.Equal(expected.GetProperty("sha256").GetString(), actual.GetProperty("sha256").GetString());
        Assert.Equal(expected.GetProperty("loss").GetDouble(), actual.GetProperty("loss").GetDouble());
        Assert.Equal(9, actual.GetProperty("steps").GetInt32());
        string[] log = File.ReadAllLines(Path.Combine(folder, "killed", "metrics.jsonl"));
        Assert.Equal(
            log.Length,
            log.Select(r => JsonDocument.Parse(r).RootElement)
                .Select(r => (r.GetProperty("kind").GetString(), r.GetProperty("step").GetInt32())).Distinct().Count());
    }

    [Fact]
    public void Invalid_training_is_refused_in_one_line_before_anything_is_written()
    {
        MakeFaces();
        Refused("DATA is missing", "train", "--out", "run");
        Refused("--out is missing", "train", "faces");
        Refused("no-such-set", "train", "no-such-set", "--out", "run");
        Refused("--epochs is 0, expected 1 to 100000", "train", "faces", "--epochs", "0", "--out", "run");
        Refused("--val and --val-people are both set", "train", "faces", "--val", "faces", "--val-people", "0.2", "--out", "run");
        Refused("needs --steps", "train", "faces", "--schedule", "step", "--out", "run");
        Refused("no-such-loss", "train", "faces", "--loss", "no-such-loss", "--out", "run");
        Refused("device cuda cannot be used", "train", "faces", "--device", "cuda", "--out", "run");
        Refused("device cuda cannot be used", "train", "faces", "--device", "cuda", "--precision", "float16", "--out", "run");
        Refused("device meta cannot be used", "train", "faces", "--device", "meta", "--out", "run"); // Computes nothing, without an error.
        Refused("--precision int8: expected float32 or bfloat16 or float16", "train", "faces", "--precision", "int8", "--out", "run");
        Refused("is not a training run", "train", "--resume", "nothing");
        Assert.False(Directory.Exists(Path.Combine(folder, "run")));
    }

    [Fact]
    public void Resumed_run_uses_its_stored_options_and_refuses_others()
    {
        MakeFaces();
        CliProcess.RunIn(folder, ["train", "faces", .. Recipe, "--epochs", "3", "--margin", "0.3", "--out", "run"]).Expect(0);
        Refused("--lr 0.5", "train", "--resume", "run", "--lr", "0.5");
        Refused("--margin 0.4", "train", "--resume", "run", "--margin", "0.4");
        Refused("--loss arcface", "train", "--resume", "run", "--loss", "arcface");
        Refused("other", "train", "other", "--resume", "run");
        CliProcess.RunIn(folder, "train", "--resume", "run", "--margin", "0.3", "--loss", "uce", "--seed", "7").Expect(0);

        string image = Directory.GetFiles(Path.Combine(folder, "faces"), "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal).First();
        File.AppendAllText(image, " ");
        Refused("has changed", "train", "--resume", "run");
    }

    [Fact]
    public void Several_sets_are_trained_on_by_weight_and_resumed_where_they_have_moved_to()
    {
        MakeFaces();
        CliProcess.RunIn(folder, "data", "make", "others", "--people", "4", "--images", "4", "--first", "100").Expect(0);
        Refused("others has the weight 0", "train", "faces", "others:0", "--out", "run");
        Refused("takes no weights", "train", "faces", "others:0.5", "--sampler", "class-balanced", "--out", "run");
        string[] start = [.. Recipe, "--epochs", "2", "--json"];
        CliResult whole = CliProcess.RunIn(folder, ["train", "faces", "others:0.5", .. start, "--out", "run"]).Expect(0);
        Assert.Contains("40 images of 10 people", whole.Error, StringComparison.Ordinal);
        Assert.Equal(2 * (32 / 8), whole.Json().GetProperty("steps").GetInt32()); // 24 images of faces and 8 of the 16 of others
        JsonElement run = JsonDocument.Parse(File.ReadAllText(Path.Combine(folder, "run", "run.json"))).RootElement;
        Assert.Equal(64, run.GetProperty("dataHash").GetString()!.Length);
        JsonElement second = Assert.Single(run.GetProperty("options").GetProperty("moreData").EnumerateArray());
        Assert.Equal(0.5, second.GetProperty("weight").GetDouble());

        Directory.Move(Path.Combine(folder, "others"), Path.Combine(folder, "moved"));
        Refused("others, the data of run, no longer exists", "train", "--resume", "run");
        Refused("anything else is a new run", "train", "faces", "moved", "--resume", "run");
        CliProcess.RunIn(folder, "train", "faces", "moved:0.5", "--resume", "run", "--epochs", "3").Expect(0);
    }

    [Fact]
    public void A_run_on_an_indexed_tar_is_the_run_on_the_folder()
    {
        MakeFaces();
        System.Formats.Tar.TarFile.CreateFromDirectory(Path.Combine(folder, "faces"), Path.Combine(folder, "faces.tar"), includeBaseDirectory: false);
        string[] start = [.. Recipe, "--epochs", "1", "--json"];
        JsonElement expected = CliProcess.RunIn(folder, ["train", "faces", .. start, "--out", "run"]).Expect(0).Json();
        JsonElement index = CliProcess.RunIn(folder, "data", "index", "faces.tar", "--json").Expect(0).Json();
        Assert.Equal((6, 24), (index.GetProperty("people").GetInt32(), index.GetProperty("images").GetInt32()));
        JsonElement actual = CliProcess.RunIn(folder, ["train", "faces.tar", .. start, "--out", "indexed"]).Expect(0).Json();
        Assert.Equal(expected.GetProperty("sha256").GetString(), actual.GetProperty("sha256").GetString());
        Assert.Equal(DataHash("run"), DataHash("indexed"));
        CliProcess.RunIn(folder, "train", "faces.tar", "--resume", "run").Expect(0);

        string? DataHash(string run) =>
            JsonDocument.Parse(File.ReadAllText(Path.Combine(folder, run, "run.json"))).RootElement.GetProperty("dataHash").GetString();
    }

    [Fact]
    public void A_training_on_many_images_starts_in_bounded_time_and_memory()
    {
        // 24 bytes per image for the index, as many while it starts, and the program itself; tests/nightly.sh starts on 50 million.
        JsonElement speed = CliProcess.Run(
            "bench", "start", "--size", "1000000", "--people", "50000", "--most-seconds", "60", "--most-memory", "0.4", "--json").Expect(0).Json();
        Assert.InRange(speed.GetProperty("managedBytes").GetInt64(), 0, 48 * 1_000_000);
    }

    [Fact]
    public void Person_level_applies_to_the_data_and_to_val_and_is_stored_in_the_run()
    {
        MakeFaces();
        CliProcess.RunIn(folder, "data", "make", "others", "--people", "4", "--images", "4", "--first", "100").Expect(0);
        foreach (string person in Directory.GetDirectories(Path.Combine(folder, "faces")).Concat(Directory.GetDirectories(Path.Combine(folder, "others"))))
        {
            string team = Path.Combine(Path.GetDirectoryName(person)!, "team", Path.GetFileName(person));
            Directory.CreateDirectory(team);
            Directory.Move(person, Path.Combine(team, "album"));
        }

        string[] start = ["train", "faces", "--val", "others", .. Recipe, "--epochs", "1", "--out", "run"];
        CliResult started = CliProcess.RunIn(folder, [.. start, "--person-level", "2"]).Expect(0);
        Assert.Contains("24 images of 6 people", started.Error, StringComparison.Ordinal);
        Assert.Contains("validation TAR", started.Error, StringComparison.Ordinal);
        CliProcess.RunIn(folder, "train", "--resume", "run", "--epochs", "2").Expect(0);
        Refused("--person-level 1 differs", "train", "--resume", "run", "--person-level", "1");
    }

    [Theory]
    [InlineData("-TERM")]
    [InlineData("-HUP")]
    public async Task Terminated_run_saves_its_last_step_and_exits_with_143(string signal)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "signals");
        Assert.SkipWhen(signal == "-HUP" && IgnoresHangUp(), "these tests run under nohup");
        MakeFaces();
        using Process process = CliProcess.Start(folder, ["train", "faces", .. Recipe, "--epochs", "100000", "--out", "run"]);
        Task<string> errorOutput = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        WaitFor(process, () => Lines("run", "metrics.jsonl") >= 2);
        using Process kill = Process.Start("kill", [signal, process.Id.ToString(CultureInfo.InvariantCulture)]);
        string error = await errorOutput;
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal(143, process.ExitCode);
        Match saved = Regex.Match(error, "saved at step ([0-9]+); continue with: uniface train --resume run");
        Assert.True(saved.Success, error);
        using JsonDocument note = JsonDocument.Parse(File.ReadLines(Path.Combine(folder, "run", "notes.jsonl")).Last());
        Assert.Equal($"stopped and saved at step {saved.Groups[1].Value}", note.RootElement.GetProperty("message").GetString());
    }

    [Fact]
    public void Resumed_run_accepts_moved_data_but_no_foreign_checkpoint()
    {
        MakeFaces();
        CliProcess.RunIn(folder, ["train", "faces", .. Recipe, "--epochs", "1", "--threads", "1", "--out", "run"]).Expect(0);
        Directory.Move(Path.Combine(folder, "faces"), Path.Combine(folder, "moved"));
        Refused("if it has moved", "train", "--resume", "run");
        Refused("--epochs is 0, expected 1 to 100000", "train", "moved", "--resume", "run", "--epochs", "0");
        CliResult resumed = CliProcess.RunIn(folder, "train", "moved", "--resume", "run", "--threads", "2", "--epochs", "2", "--json").Expect(0);
        Assert.Equal(2, resumed.Json().GetProperty("epochs").GetInt32());
        Assert.Contains("changed at step 3: threads 1 to 2; changed at step 3: epochs 1 to 2", resumed.Error, StringComparison.Ordinal);
        CliProcess.RunIn(folder, "train", "--resume", "run").Expect(0);

        CliProcess.RunIn(folder, ["train", "moved", .. Recipe, "--epochs", "1", "--threads", "1", "--out", "other"]).Expect(0);
        string last = Path.Combine(folder, "run", "last.ckpt");
        byte[] own = File.ReadAllBytes(last);
        File.Delete(last);
        Refused("previous.ckpt: rename it to last.ckpt", "train", "--resume", "run");
        Refused("holds a run already", ["train", "moved", .. Recipe, "--epochs", "1", "--out", "run"]);
        File.Copy(Path.Combine(folder, "other", "last.ckpt"), last, overwrite: true);
        Refused("another run", "train", "--resume", "run");
        own[^1] ^= 1;
        File.WriteAllBytes(last, own);
        Refused("last.ckpt is damaged", "train", "--resume", "run");
        Refused("last.ckpt is damaged", "export", "run", "--out", "package");
    }

    [Fact]
    public void Run_that_failed_on_its_data_can_be_started_again_in_the_same_folder()
    {
        MakeFaces();
        string image = Directory.GetFiles(Path.Combine(folder, "faces"), "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal).First();
        byte[] good = File.ReadAllBytes(image);
        File.WriteAllBytes(image, good[..200]);
        string[] start = ["train", "faces", .. Recipe, "--epochs", "1", "--out", "run"];
        Refused(Path.GetFileName(image), start);
        File.WriteAllBytes(image, good);
        CliProcess.RunIn(folder, start).Expect(0);
        Refused("holds a run already", start);
    }

    private static void WaitFor(Process process, Func<bool> reached)
    {
        while (!process.HasExited && !reached())
        {
            Thread.Sleep(5);
        }
    }

    // The process may be writing, renaming or replacing the file. 0 if it does not exist.
    private int Lines(string run, string file)
    {
        try
        {
            string path = Path.Combine(folder, run, file);
            using StreamReader reader = new(new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete));
            return reader.ReadToEnd().Count(c => c == '\n') + 1;
        }
        catch (IOException)
        {
            return 0;
        }
    }

    private void MakeFaces() => CliProcess.RunIn(folder, "data", "make", "faces", "--people", "6", "--images", "4").Expect(0);

    private string[] Continue() => File.Exists(Path.Combine(folder, "killed", "run.json"))
        ? ["train", "--resume", "killed", "--json"]
        : ["train", "faces", .. Recipe, "--epochs", "3", "--out", "killed", "--json"];

    private void Refused(string word, params string[] args)
    {
        CliResult result = CliProcess.RunIn(folder, args).Expect(2);
        Assert.Contains(word, result.Error, StringComparison.Ordinal);
        Assert.Single(result.Error.TrimEnd().Split('\n'), line => line.StartsWith("error: ", StringComparison.Ordinal));
    }

    // Child processes inherit the ignored signal. Bit 0 of the mask is signal 1.
    private static bool IgnoresHangUp() =>
        OperatingSystem.IsLinux() && File.ReadLines("/proc/self/status").First(line => line.StartsWith("SigIgn:", StringComparison.Ordinal))[^1] is var mask &&
        (Convert.ToInt32(mask.ToString(), 16) & 1) != 0;
}
