using System.Diagnostics;
using System.Text.Json;

namespace UniFace.Cli.Tests.Train;

/// <summary>
/// `uniface finetune` starts from a package, says whether people held out are recognized better, ends with the same bytes if it is killed, and
/// `uniface train --teacher` learns from a package without labels.
/// </summary>
public sealed class FineTuneCommandTests : IDisposable
{
    private static readonly string[] Recipe = [
        "--backbone", "mobilefacenet", "--width", "0.25", "--embedding-size", "16", "--batch", "8", "--epochs", "1", "--threads", "1"];
    private readonly string folder = Directory.CreateTempSubdirectory("uniface-finetune-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void A_package_is_fine_tuned_compared_and_exported_with_its_own_input()
    {
        MakePackage(people: 16, images: 4);
        CliResult tuned = CliProcess.RunIn(
            folder, "finetune", "package", "faces", "--out", "tuned", "--epochs", "1", "--batch", "8", "--val-people", "0.5", "--threads", "1", "--json")
            .Expect(0);
        JsonElement json = tuned.Json(), compared = json.GetProperty("comparison");
        Assert.Equal(8, compared.GetProperty("people").GetInt32());
        Assert.Equal(8 * 6, compared.GetProperty("matedPairs").GetInt32());
        Assert.Contains(compared.GetProperty("verdict").GetString(), new[] { "not-shown", "better", "worse" });
        JsonElement difference = compared.GetProperty("difference");
        Assert.True(difference.GetProperty("low").GetDouble() <= difference.GetProperty("high").GetDouble());
        JsonElement[] weights = [.. json.GetProperty("weights").EnumerateArray()];
        Assert.Contains(weights, w => w.GetProperty("name").GetString() == "body.0.weight" && w.GetProperty("source").GetString() == "Conv_1.weight");
        using JsonDocument run = JsonDocument.Parse(File.ReadAllText(Path.Combine(folder, "tuned", "run.json")));
        Assert.Equal("mobilefacenet", run.RootElement.GetProperty("options").GetProperty("backbone").GetProperty("name").GetString());
        CliProcess.RunIn(folder, "export", "tuned", "--out", "better", "--weights", "last").Expect(0);
        CliProcess.RunIn(folder, "finetune", "better", "faces", "--out", "again", "--epochs", "1", "--batch", "8", "--val-people", "0").Expect(0);
    }

    [Fact]
    public void A_teacher_changes_the_last_layer_without_steps_and_folds_compare_everybody()
    {
        MakePackage(people: 20, images: 3);
        JsonElement json = CliProcess.RunIn(
            folder, "finetune", "package", "faces", "--teacher", "package", "--teacher-data", "faces", "--folds", "2", "--out", "tuned", "--batch", "8",
            "--json").Expect(0).Json();
        Assert.Equal((0, 0), (json.GetProperty("epochs").GetInt32(), json.GetProperty("steps").GetInt32()));
        JsonElement compared = json.GetProperty("comparison");
        Assert.Equal(
            (20, 20 * 3, 2 * 45 * 9),
            (compared.GetProperty("people").GetInt32(), compared.GetProperty("matedPairs").GetInt32(), compared.GetProperty("nonMatedPairs").GetInt32()));
        Assert.True(Directory.Exists(Path.Combine(folder, "tuned", "folds", "2")));
        CliProcess.RunIn(folder, "export", "tuned", "--out", "better", "--weights", "last").Expect(0);
        Refused("--folds is 1", "finetune", "package", "faces", "--folds", "1", "--out", "other");
        CliProcess.RunIn(folder, "data", "make", "fewer", "--people", "8", "--images", "3").Expect(0);
        Refused(
            "with the same names", "finetune", "package", "faces", "--teacher", "package", "--teacher-data", "fewer", "--batch", "8", "--out", "other");
    }

    [Fact]
    public void A_run_killed_again_and_again_ends_with_the_bytes_of_one_that_never_stopped()
    {
        MakePackage(people: 6, images: 4);
        string[] start = ["finetune", "package", "faces", "--batch", "8", "--epochs", "3", "--checkpoint-every", "2", "--threads", "1", "--json"];
        string sha = CliProcess.RunIn(folder, [.. start, "--out", "whole"]).Expect(0).Json().GetProperty("sha256").GetString()!;
        foreach (string file in new[] { "run.json", "last.ckpt", "metrics.jsonl" })
        {
            using Process process = CliProcess.Start(folder, GoOn());
            while (!process.HasExited && !File.Exists(Path.Combine(folder, "killed", file)))
            {
                Thread.Sleep(5);
            }

            process.Kill();
            process.WaitForExit();
        }

        JsonElement resumed = CliProcess.RunIn(folder, GoOn()).Expect(0).Json();
        Assert.Equal(sha, resumed.GetProperty("sha256").GetString());

        string[] GoOn() => File.Exists(Path.Combine(folder, "killed", "run.json"))
            ? ["train", "--resume", "killed", "--json"]
            : [.. start, "--out", "killed"];
    }

    [Fact]
    public void A_cross_validation_that_is_killed_continues_with_the_same_command()
    {
        MakePackage(people: 6, images: 4);
        string[] recipe = ["--folds", "2", "--epochs", "1", "--threads", "1", "--val-people", "0.34", "--json"];
        string[] start = ["finetune", "package", "faces", "--batch", "8", .. recipe];
        JsonElement whole = CliProcess.RunIn(folder, [.. start, "--out", "whole"]).Expect(0).Json();
        foreach (string file in new[] { "folds/1/last.ckpt", "folds/2/run.json" })
        {
            using Process process = CliProcess.Start(folder, [.. start, "--out", "killed"]);
            while (!process.HasExited && !File.Exists(Path.Combine(folder, "killed", file)))
            {
                Thread.Sleep(5);
            }

            process.Kill();
            process.WaitForExit();
        }

        JsonElement continued = CliProcess.RunIn(folder, [.. start, "--out", "killed"]).Expect(0).Json();
        Assert.Equal(whole.GetProperty("sha256").GetString(), continued.GetProperty("sha256").GetString());
        Assert.Equal(whole.GetProperty("comparison").GetRawText(), continued.GetProperty("comparison").GetRawText());
        JsonElement again = CliProcess.RunIn(folder, "train", "--resume", "killed", "--json").Expect(0).Json();
        Assert.Equal(whole.GetProperty("comparison").GetRawText(), again.GetProperty("comparison").GetRawText());
        Refused("--batch is 4, but 8 in killed/folds/1", ["finetune", "package", "faces", "--batch", "4", .. recipe, "--out", "killed"]);
        Refused("--freeze is 1, but 2 in killed/folds/1", [.. start, "--freeze", "1", "--out", "killed"]);
        Refused("--stage-decay is 0.5, but 0.8 in", [.. start, "--stage-decay", "0.5", "--out", "killed"]);
        Refused("--seed is 7, but ", [.. start, "--seed", "7", "--out", "killed"]);
        Refused("another number of folds", "finetune", "package", "faces", "--folds", "3", "--batch", "8", "--epochs", "1", "--out", "killed");
        CliProcess.RunIn(folder, "data", "make", "others", "--people", "6", "--images", "3").Expect(0);
        Refused("others", ["finetune", "package", "others", "--batch", "8", .. recipe, "--out", "killed"]);
    }

    [Fact]
    public void A_student_learns_from_a_package_with_photos_without_labels_and_with_labels()
    {
        MakePackage(people: 6, images: 4);
        Directory.CreateDirectory(Path.Combine(folder, "flat"));
        foreach ((int i, string file) in Directory.GetFiles(Path.Combine(folder, "faces"), "*.*", SearchOption.AllDirectories)
            .Where(f => Path.GetExtension(f) is ".png" or ".jpg").Order(StringComparer.Ordinal).Index())
        {
            File.Copy(file, Path.Combine(folder, "flat", $"{i}{Path.GetExtension(file)}"));
        }

        string[] teacher = [.. Recipe, "--teacher", "package"];
        CliProcess.RunIn(folder, [
            "train", "flat", .. teacher, "--label-weight", "0", "--teacher-view", "augmented", "--augment", "flip,warp=0.5,mix=0.5",
            "--out", "taught"]).Expect(0);
        CliProcess.RunIn(folder, ["train", "faces", .. teacher, "--teacher-start", "narrowed", "--out", "both"]).Expect(0);
        CliProcess.RunIn(folder, "train", "--resume", "both", "--teacher", "package").Expect(0);
        CliProcess.RunIn(folder, "export", "taught", "--out", "student").Expect(0);
    }

    [Fact]
    public void What_cannot_be_done_is_said_in_one_line_before_anything_is_written()
    {
        MakePackage(people: 6, images: 4);
        Refused("no such model package", "finetune", "absent", "faces", "--out", "run");
        Refused("--backbone, --width: ", "finetune", "package", "faces", "--backbone", "iresnet18", "--width", "1", "--out", "run");
        Refused(
            "--teacher-start: ", "finetune", "package", "faces", "--teacher", "package", "--teacher-start", "narrowed", "--out", "run");
        Refused("nothing to train", "finetune", "package", "faces", "--freeze", "9", "--batch", "8", "--out", "run");
        Refused("needs --teacher", ["train", "faces", .. Recipe, "--label-weight", "0", "--out", "run"]);
        Refused("has no label", ["train", "faces", .. Recipe, "--augment", "mix=0.5", "--out", "run"]);
        Refused("fewer than the student's 512", "train", "faces", "--batch", "8", "--teacher", "package", "--out", "run");
        Assert.False(Directory.Exists(Path.Combine(folder, "run")));
    }

    private void MakePackage(int people, int images)
    {
        CliProcess.RunIn(folder, "data", "make", "faces", "--people", $"{people}", "--images", $"{images}").Expect(0);
        CliProcess.RunIn(folder, ["train", "faces", .. Recipe, "--out", "start", "--val-people", "0"]).Expect(0);
        CliProcess.RunIn(folder, "export", "start", "--out", "package").Expect(0);
    }

    private void Refused(string word, params string[] args)
    {
        CliResult result = CliProcess.RunIn(folder, args).Expect(2);
        Assert.Contains(word, result.Error, StringComparison.Ordinal);
        Assert.Single(result.Error.TrimEnd().Split('\n'), line => line.StartsWith("error: ", StringComparison.Ordinal));
    }
}
