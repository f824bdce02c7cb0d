using System.Globalization;
using System.Text.Json;
using UniFace.Data;
using UniFace.IO;
using UniFace.Packages;
using UniFace.Training.Backbones;
using UniFace.Training.Export;

namespace UniFace.Cli.Tests.Eval;

/// <summary>A small untrained network, synthetic faces and pairs of them, shared by the tests.</summary>
public sealed class EvalFixture : IDisposable
{
    public const int People = 8;
    public const int ImagesEach = 4;

    public EvalFixture()
    {
        CliProcess.Run("data", "make", Faces, "--people", "8", "--images", "4", "--seed", "3").Expect(0);
        using Backbone backbone = BackboneRegistry.Create(new BackboneSpec("mobilefacenet", 0.25, 32), 1);
        OnnxExporter.Write(backbone, Onnx);
        ModelManifest manifest = new() { EmbeddingSize = 32, OnnxSha256 = "", FlipSum = true };
        using PackageDraft draft = new(backbone, manifest, Package, null);
        draft.Complete(null);

        // The same images under LFW's names, and pairs of them: 2 folds of 8 mated and 8 non-mated pairs.
        string[][] people =
            [.. Directory.GetDirectories(Faces).Order(StringComparer.Ordinal).Select(d => Directory.GetFiles(d).Order(StringComparer.Ordinal).ToArray())];
        for (int person = 0; person < People; person++)
        {
            Directory.CreateDirectory(Path.Combine(Named, Name(person)));
            for (int i = 0; i < ImagesEach; i++)
            {
                File.Copy(people[person][i], Path.Combine(Named, Name(person), $"{Name(person)}_{i + 1:D4}{Path.GetExtension(people[person][i])}"));
            }
        }

        List<string> lines = ["2\t8"];
        for (int fold = 0; fold < 2; fold++)
        {
            lines.AddRange(Enumerable.Range(0, 8).Select(p => $"{Name(p)}\t{1 + fold}\t{3 + fold}"));
            lines.AddRange(Enumerable.Range(0, 8).Select(p => $"{Name(p)}\t{1 + fold}\t{Name((p + 1 + fold) % 8)}\t2"));
        }

        File.WriteAllText(Pairs, string.Join('\n', lines) + "\n");
    }

    public string Folder { get; } = Directory.CreateTempSubdirectory("uniface-eval-").FullName;

    public string Faces => Path.Combine(Folder, "faces");

    public string Named => Path.Combine(Folder, "named");

    public string Pairs => Path.Combine(Folder, "pairs.txt");

    public string Onnx => Path.Combine(Folder, "model.onnx");

    public string Package => Path.Combine(Folder, "package");

    public void Dispose() => Directory.Delete(Folder, true);

    private static string Name(int person) => $"Person_{(char)('A' + person)}";
}

/// <summary>eval reproduces scores that are computed independently, and writes what it prints.</summary>
public class EvalCommandTests(EvalFixture fixture) : IClassFixture<EvalFixture>
{
    [Fact]
    public void Eval_on_pairs_prints_every_documented_field()
    {
        string folder = Path.Combine(fixture.Folder, "out-pairs");
        CliResult run = CliProcess.Run(
            "eval", fixture.Onnx, "--pairs", fixture.Pairs, "--images", fixture.Named, "--aligned", "--bootstrap", "50", "--out", folder, "--json").Expect(0);
        JsonElement json = run.Json();
        Assert.InRange(json.GetProperty("accuracy").GetDouble(), 0, 1);
        Assert.InRange(json.GetProperty("accuracyStd").GetDouble(), 0, 1);
        Assert.Equal(32, json.GetProperty("pairs").GetInt32());
        Assert.Equal(0, json.GetProperty("missing").GetInt32());
        Assert.InRange(json.GetProperty("auc").GetDouble(), 0, 1);
        Assert.InRange(json.GetProperty("eer").GetDouble(), 0, 1);
        JsonElement supported = json.GetProperty("tarAtFar").GetProperty("1e-1");
        Assert.InRange(supported.GetProperty("tar").GetDouble(), supported.GetProperty("low").GetDouble(), supported.GetProperty("high").GetDouble());
        Assert.InRange(supported.GetProperty("threshold").GetDouble(), -1, 1.001);
        JsonElement unsupported = json.GetProperty("tarAtFar").GetProperty("1e-6");
        Assert.Equal(JsonValueKind.Null, unsupported.GetProperty("tar").ValueKind);
        Assert.Contains("16 pairs", unsupported.GetProperty("why").GetString(), StringComparison.Ordinal);
        Assert.Equal(Sha256.HashFile(fixture.Pairs), json.GetProperty("pairsSha256").GetString());
        Assert.Equal(Sha256.HashFile(fixture.Onnx), json.GetProperty("modelSha256").GetString());
        Assert.Equal(json.ToString(), JsonDocument.Parse(File.ReadAllText(Path.Combine(folder, "eval.json"))).RootElement.ToString());

        Assert.All(
            ["roc.svg", "det.svg", "scores.svg"],
            name =>
                Assert.Equal(System.Xml.Linq.XName.Get("svg", "http://www.w3.org/2000/svg"),
                    System.Xml.Linq.XDocument.Load(Path.Combine(folder, name)).Root!.Name));

        // The hash is computed as in a training, and the metrics follow from the written scores.
        string[] lines = File.ReadAllLines(Path.Combine(folder, "scores.csv"));
        Assert.Equal("first,second,same,fold,score,missing", lines[0]);
        string[][] rows = [.. lines.Skip(1).Select(l => l.Split(','))];
        Assert.Equal(32, rows.Length);
        using (FaceDataset named = FaceDatasets.Open(fixture.Named))
        {
            Assert.Equal(named.ComputeHash(), json.GetProperty("sha256").GetString());
        }

        double[] same = [.. rows.Where(r => r[2] == "1").Select(r => double.Parse(r[4], CultureInfo.InvariantCulture))];
        double[] different = [.. rows.Where(r => r[2] == "0").Select(r => double.Parse(r[4], CultureInfo.InvariantCulture))];
        double wins = same.Sum(s => different.Sum(d => s > d ? 1 : s == d ? 0.5 : 0));
        Assert.Equal(wins / (same.Length * different.Length), json.GetProperty("auc").GetDouble(), 9);
    }

    [Fact]
    public void List_of_paths_gives_the_same_metrics_as_the_same_pairs_in_LFW_format()
    {
        using LfwScores lfw = new(fixture, fixture.Pairs);
        string csv = Path.Combine(fixture.Folder, "pairs.csv");
        File.WriteAllLines(csv, ["first,second,same", .. lfw.Rows.Select(row => string.Join(',', row[..3]))]);
        using LfwScores list = new(fixture, csv);
        Assert.Equal(lfw.Rows.Select(row => row[4]), list.Rows.Select(row => row[4]));
        // The hash is that of the list and of every image, whether or not the training data of the model is known.
        IEnumerable<string> images = list.Rows.SelectMany(row => row[..2]).Distinct().Select(i => $"{Sha256.HashFile(Path.Combine(fixture.Named, i))}  {i}\n");
        string content = $"{Sha256.HashFile(csv)}  pairs.csv\n{string.Concat(images)}";
        Assert.Equal(Sha256.HashBytes(System.Text.Encoding.UTF8.GetBytes(content)), list.Json.GetProperty("sha256").GetString());
        foreach (string figure in new[] { "auc", "eer", "pairs", "missing" })
        {
            Assert.Equal(lfw.Json.GetProperty(figure).GetDouble(), list.Json.GetProperty(figure).GetDouble());
        }
    }

    private sealed class LfwScores : IDisposable
    {
        private readonly string folder = Directory.CreateTempSubdirectory("uniface-eval-").FullName;

        public LfwScores(EvalFixture fixture, string pairs)
        {
            Json = CliProcess.Run(
                "eval", fixture.Onnx, "--pairs", pairs, "--images", fixture.Named,
                    "--aligned", "--bootstrap", "10", "--out", folder, "--json").Expect(0).Json();
            Rows = [.. File.ReadAllLines(Path.Combine(folder, "scores.csv")).Skip(1).Select(line => line.Split(','))];
        }

        public JsonElement Json { get; }

        public string[][] Rows { get; }

        public void Dispose() => Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public void Bin_is_evaluated_in_ten_folds_and_identified_by_its_file_hash()
    {
        string bin = Path.Combine(fixture.Folder, "named.bin");
        string[] images = [.. Directory.GetFiles(fixture.Named, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal)];
        (int A, int B)[] pairs = [.. Enumerable.Range(0, 32).Select(i => (i, i % 2 == 0 ? i / 4 * 4 + (i + 1) % 4 : (i + 7) % 32))];
        File.WriteAllBytes(
            bin,
            Pickle([.. pairs.SelectMany(p => new[] { images[p.A], images[p.B] }).Select(File.ReadAllBytes)], [.. pairs.Select(p => p.A / 4 == p.B / 4)]));
        JsonElement json = CliProcess.Run("eval", fixture.Onnx, "--bin", bin, "--bootstrap", "50", "--json").Expect(0).Json();
        Assert.Equal(32, json.GetProperty("pairs").GetInt32());
        Assert.Equal(32, json.GetProperty("images").GetInt32());
        Assert.Equal(Sha256.HashFile(bin), json.GetProperty("sha256").GetString());
        Assert.Equal(10, json.GetProperty("folds").GetArrayLength());
    }

    [Fact]
    public void Eval_on_labelled_people_calibrates_a_package()
    {
        JsonElement json = CliProcess.Run(
            "eval", fixture.Package, "--data", fixture.Faces, "--aligned", "--bootstrap", "50", "--write-calibration", "--json").Expect(0).Json();
        Assert.Equal("all-pairs", json.GetProperty("protocol").GetString());
        Assert.Equal(32 * 31 / 2, json.GetProperty("pairs").GetInt32());
        Assert.True(json.GetProperty("flipSum").GetBoolean());
        ModelManifest manifest = ModelPackage.Open(fixture.Package).Manifest!;
        Calibration calibration = Calibration.Load(Path.Combine(fixture.Package, Calibration.FileName));
        calibration.EnsureFits(manifest);
        Assert.Equal(manifest.ContractId, calibration.ContractId);
        Assert.Equal((8L * 6, 32L * 31 / 2 - 48), (calibration.Data.SamePairs, calibration.Data.DifferentPairs));
        Assert.Equal(json.GetProperty("sha256").GetString(), calibration.Data.Sha256);
        Assert.Equal(json.GetProperty("tarAtFar").GetProperty("1e-1").GetProperty("threshold").GetDouble(), calibration.ThresholdAt(0.1));
        Assert.Throws<UniFaceException>(() => calibration.ThresholdAt(1e-3));
    }

    [Fact]
    public void Run_and_its_package_give_the_same_scores()
    {
        string run = Path.Combine(fixture.Folder, "run"), package = Path.Combine(fixture.Folder, "exported");
        CliProcess.Run(
            "train", fixture.Faces, "--backbone", "mobilefacenet", "--width", "0.25", "--embedding-size", "32", "--epochs", "3", "--batch", "16",
            "--lr", "0.02", "--out", run).Expect(0);
        CliProcess.Run("export", run, "--out", package).Expect(0);
        JsonElement json = CliProcess.Run("eval", run, "--data", fixture.Faces, "--aligned", "--allow-overlap", "--bootstrap", "20", "--out", run
            + "-scores", "--json").Expect(0).Json();
        CliProcess.Run("eval", package, "--data", fixture.Faces, "--aligned", "--allow-overlap", "--bootstrap", "20", "--out", package + "-scores").Expect(0);
        Assert.Equal(Sha256.HashFile(Path.Combine(run, "last.ckpt")), json.GetProperty("modelSha256").GetString());
        double[] ofRun = Scores(run), ofPackage = Scores(package);
        Assert.Equal(32 * 31 / 2, ofRun.Length);
        for (int i = 0; i < ofRun.Length; i++)
        {
            Assert.Equal(ofRun[i], ofPackage[i], 1e-4);
        }

        static double[] Scores(string model) =>
            [.. File.ReadAllLines(Path.Combine(model + "-scores", "scores.csv")).Skip(1).Select(l => double.Parse(
                l.Split(',')[0], CultureInfo.InvariantCulture))];
    }

    [Fact]
    public void Text_output_is_a_table()
    {
        string table = CliProcess.Run("eval", fixture.Onnx, "--data", fixture.Faces, "--aligned", "--bootstrap", "20").Expect(0).Out;
        Assert.Contains("TAR at FAR 1e-1", table, StringComparison.Ordinal);
        Assert.Contains("448 non-mated pairs", table, StringComparison.Ordinal);
    }

    [Fact]
    public void Crop_that_the_aligner_left_out_counts_its_pairs_as_errors()
    {
        string holes = Path.Combine(fixture.Folder, "holes");
        foreach (string file in Directory.GetFiles(
            fixture.Named, "*", SearchOption.AllDirectories).Where(f => !f.Contains("Person_A_0001", StringComparison.Ordinal)))
        {
            string copy = Path.Combine(holes, Path.GetRelativePath(fixture.Named, file));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(file, copy);
        }

        JsonElement json = CliProcess.Run(
            "eval", fixture.Onnx, "--pairs", fixture.Pairs, "--images", holes, "--aligned", "--bootstrap", "20", "--json").Expect(0).Json();
        Assert.Equal(1, json.GetProperty("missingImages").GetInt32());
        Assert.Equal(2, json.GetProperty("missing").GetInt32()); // one same and one different pair of fold 1
        Assert.Equal(32, json.GetProperty("pairs").GetInt32());
    }

    [Fact]
    public void Invalid_eval_command_line_prints_one_line_and_exits_with_2()
    {
        string bad = Path.Combine(fixture.Folder, "bad.txt");
        File.WriteAllText(bad, "1\t1\nPerson_A\t1\n");
        Refused("nothing to measure", "eval", fixture.Onnx);
        Refused("--images", "eval", fixture.Onnx, "--pairs", fixture.Pairs);
        Refused("--pairs", "eval", fixture.Onnx, "--images", fixture.Named);
        Refused("no-such", "eval", Path.Combine(fixture.Folder, "no-such.onnx"), "--data", fixture.Faces, "--aligned");
        Refused("no-such", "eval", fixture.Onnx, "--data", Path.Combine(fixture.Folder, "no-such"), "--aligned");
        Refused("bad.txt: line 2", "eval", fixture.Onnx, "--pairs", bad, "--images", fixture.Named, "--aligned");
        Refused("lacks 32 of the 32 images", "eval", fixture.Onnx, "--pairs", fixture.Pairs, "--images", fixture.Faces, "--aligned");
        Refused("exclude each other", "eval", fixture.Onnx, "--data", fixture.Faces, "--aligned", "--flip-sum", "--no-flip");
        Refused("--calibration FILE", "eval", fixture.Onnx, "--data", fixture.Faces, "--aligned", "--write-calibration");
        Refused("must be calibrated the same way", "eval", fixture.Package, "--data", fixture.Faces, "--aligned", "--no-flip", "--write-calibration");
        Refused("--bootstrap 1", "eval", fixture.Onnx, "--data", fixture.Faces, "--aligned", "--bootstrap", "1");

        static void Refused(string word, params string[] args)
        {
            CliResult result = CliProcess.Run(args).Expect(2);
            Assert.StartsWith("error: ", result.Error, StringComparison.Ordinal);
            Assert.Single(result.Error.TrimEnd().Split('\n'));
            Assert.Contains(word, result.Error, StringComparison.Ordinal);
            Assert.Empty(result.Out);
        }
    }

    // Protocol 3: ([bytes, ...], [bool, ...]).
    private static byte[] Pickle(byte[][] images, bool[] same)
    {
        using MemoryStream stream = new();
        using BinaryWriter writer = new(stream);
        writer.Write([0x80, 3, (byte)']', (byte)'(']);
        foreach (byte[] image in images)
        {
            writer.Write((byte)'B');
            writer.Write(image.Length);
            writer.Write(image);
        }

        writer.Write([(byte)'e', (byte)']', (byte)'(']);
        writer.Write([.. same.Select(s => (byte)(s ? 0x88 : 0x89))]);
        writer.Write([(byte)'e', 0x86, (byte)'.']);
        return stream.ToArray();
    }
}
