using System.Text.Json;
using System.Text.Json.Nodes;
using UniFace.Packages;

namespace UniFace.Cli.Tests.Eval;

/// <summary>A run trained on 15 synthetic people, one of them with a name; no people are held out.</summary>
public sealed class SeenPeople : IDisposable
{
    public SeenPeople()
    {
        Run("data", "make", "photos", "--people", "15", "--images", "4", "--photos", "--seed", "7").Expect(0);
        Directory.Move(Path.Combine(Folder, "photos", "person-0003"), Path.Combine(Folder, "photos", "Ann Lee"));
        Run("align", "photos", "aligned").Expect(0);
        Training = Run("train", "aligned", "--width", "0.25", "--embedding-size", "32", "--epochs", "1", "--batch", "15", "--out", "run").Expect(0);
        Export = Run("export", "run", "--out", "package").Expect(0);
        Run("data", "make", "others", "--people", "15", "--images", "4", "--seed", "8").Expect(0);
    }

    public string Folder { get; } = Directory.CreateTempSubdirectory("uniface-seen-").FullName;

    internal CliResult Training { get; }

    internal CliResult Export { get; }

    internal CliResult Run(params string[] args) => CliProcess.RunIn(Folder, args);

    public void Dispose() => Directory.Delete(Folder, recursive: true);
}

/// <summary>A model is never silently measured on its training data: not on its images, their photos, or its people.</summary>
public sealed class TrainingOverlapTests(SeenPeople seen) : IClassFixture<SeenPeople>
{
    [Fact]
    public void Training_export_and_verify_explain_a_missing_calibration()
    {
        Assert.Contains("no people are held out: the data has fewer than 20 people (15)", seen.Training.Error, StringComparison.Ordinal);
        Assert.Contains("no calibration.json: no people were held out of the training; 'uniface verify' and 'uniface gallery identify' need --threshold",
            seen.Export.Out, StringComparison.Ordinal);
        string photo = Path.Combine("aligned", "Ann Lee", "000.jpg");
        Refused("bare has no calibration", "give --threshold COSINE, or calibrate it on people it was not trained on", "verify", Copy("bare"), photo,
            photo, "--aligned");
        seen.Run("gallery", "create", "g", "bare").Expect(0);
        Refused("", "give --threshold COSINE", "gallery", "identify", "g", photo, "--aligned");
    }

    [Fact]
    public void Results_on_training_images_need_allow_overlap_and_carry_a_warning()
    {
        string package = Copy("allowed"), calibration = Path.Combine(seen.Folder, package, Calibration.FileName);
        Refused("aligned: allowed was trained on 60 of these images and 1 of these people by name", "--allow-overlap", "eval", package, "--data",
            "aligned", "--aligned", "--write-calibration");
        Refused("aligned: run was trained on 60 of these images", "--allow-overlap", "eval", "run", "--data", "aligned", "--aligned");
        Refused("aligned: allowed was trained on 60 of these images", "--allow-overlap", "calibrate", package, "--images", "aligned", "--aligned");
        Refused("aligned: allowed was trained on 60 of these images", "--allow-overlap", "eval", package, "--identify", "--gallery", "aligned",
            "--probes", "others", "--aligned");
        Assert.False(File.Exists(calibration));

        CliResult allowed = seen.Run("eval", package, "--data", "aligned", "--aligned", "--bootstrap", "20", "--write-calibration", "--allow-overlap",
            "--json").Expect(0);
        Assert.Contains("warning: aligned: allowed was trained on 60 of these images", allowed.Error, StringComparison.Ordinal);
        Assert.Equal(60, allowed.Json().GetProperty("overlap").GetProperty("pictures").GetInt32());
        Assert.Equal(new TrainingOverlap(60, 1), Calibration.Load(calibration).Overlap);

        // Evaluation and training compute the same hash of the same set.
        Assert.Equal(ModelPackage.Open(Path.Combine(seen.Folder, package)).Manifest!.Training!.DataHash, allowed.Json().GetProperty("sha256").GetString());

        string a = Path.Combine("aligned", "Ann Lee", "000.jpg");
        // After one epoch all faces have cosines of nearly 1, so whether a face matches itself at the calibrated threshold depends on rounding.
        const string Warning = "the calibration was measured on what the model was trained on (images: 60, people: 1)";
        Assert.Contains("warning: " + Warning, seen.Run("verify", package, a, a, "--aligned", "--fmr", "0.1").Error, StringComparison.Ordinal);
        Assert.StartsWith(Warning, seen.Run("verify", package, a, a, "--aligned", "--fmr", "0.1",
            "--json").Json().GetProperty("calibrationWarning").GetString(), StringComparison.Ordinal);
        seen.Run("gallery", "create", "allowed.gallery", package).Expect(0);
        seen.Run("gallery", "enroll", "allowed.gallery", "aligned", "--aligned").Expect(0);
        Assert.Contains("warning: " + Warning, seen.Run("gallery", "identify", "allowed.gallery", a, "--aligned", "--fmr", "0.1").Error,
            StringComparison.Ordinal);
        Assert.StartsWith(Warning, seen.Run("gallery", "identify", "allowed.gallery", a, "--aligned", "--fmr", "0.1",
            "--json").Json().GetProperty("calibrationWarning").GetString(), StringComparison.Ordinal);
        Assert.Contains("warning: " + Warning, seen.Run("cluster", package, "others", "sorted", "--aligned", "--fmr", "0.1").Expect(0).Error,
            StringComparison.Ordinal);
        Assert.Contains(Warning, File.ReadAllText(Path.Combine(seen.Folder, "sorted", "clusters.json")), StringComparison.Ordinal);

        // Nor can its calibration be added to a package by 'uniface export'.
        Refused("was trained on 60 of these images", "--allow-overlap", "export", "run", "--out", "by-hand", "--calibration", calibration);
    }

    [Fact]
    public void Package_without_a_fingerprint_recognizes_its_training_set_by_the_set_hash()
    {
        string manifest = Path.Combine(seen.Folder, Copy("before"), ModelManifest.FileName);
        JsonNode json = JsonNode.Parse(File.ReadAllText(manifest))!;
        Assert.True(json["training"]!.AsObject().Remove("fingerprintSha256"));
        File.WriteAllText(manifest, json.ToJsonString());
        File.Delete(Path.Combine(seen.Folder, "before", TrainingFingerprint.FileName));
        Refused("aligned: before was trained on 60 of these images", "--allow-overlap", "eval", "before", "--data", "aligned", "--aligned");
    }

    [Fact]
    public void Photos_of_training_crops_and_other_crops_of_them_are_recognized()
    {
        Refused("photos: package was trained on 60 of these images", "--allow-overlap", "eval", "package", "--data", "photos");
        seen.Run("align", "photos/person-0001", "again/person-0001", "--format", "png").Expect(0);
        seen.Run("align", "photos/person-0002", "again/person-0002", "--format", "png").Expect(0);
        Refused("again: package was trained on 8 of these images and 0 of these people", "--allow-overlap", "eval", "package", "--data", "again",
            "--aligned");
    }

    [Fact]
    public void People_of_the_same_name_overlap_and_generic_names_do_not()
    {
        JsonElement unseen = seen.Run("eval", "package", "--data", "others", "--aligned", "--bootstrap", "20", "--json").Expect(0).Json();
        Assert.Equal(JsonValueKind.Null, unseen.GetProperty("overlap").ValueKind);
        seen.Run("data", "make", "named", "--people", "2", "--images", "4", "--seed", "9").Expect(0);
        Directory.Move(Path.Combine(seen.Folder, "named", "person-0000"), Path.Combine(seen.Folder, "named", "ann_lee"));
        Refused("named: package was trained on 0 of these images and 1 of these people by name, e.g. ann_lee", "--allow-overlap", "eval", "package",
            "--data", "named", "--aligned");
    }

    [Fact]
    public void Pairs_are_refused_if_they_name_training_images()
    {
        File.WriteAllText(Path.Combine(seen.Folder, "pairs.txt"), "1\t1\nSeen\t1\t2\nSeen\t1\tNew\t1\n");
        Pair("Seen", Path.Combine("aligned", "person-0001"));
        Pair("New", Path.Combine("others", "person-0001"));
        Refused("lfw: package was trained on 2 of these images and 0 of these people by name, e.g. Seen/Seen_0001.jpg", "--allow-overlap", "eval",
            "package", "--pairs", "pairs.txt", "--images", "lfw", "--aligned");

        void Pair(string name, string from)
        {
            string[] files = [.. Directory.GetFiles(Path.Combine(seen.Folder, from)).Order(StringComparer.Ordinal)];
            Directory.CreateDirectory(Path.Combine(seen.Folder, "lfw", name));
            for (int i = 0; i < files.Length; i++)
            {
                File.Copy(files[i], Path.Combine(seen.Folder, "lfw", name, $"{name}_{i + 1:D4}{Path.GetExtension(files[i])}"));
            }
        }
    }

    [Fact]
    public void Installed_package_without_its_fingerprint_is_refused()
    {
        Dictionary<string, string> home = new() { ["UNIFACE_HOME"] = Path.Combine(seen.Folder, "home") };
        string aligned = Path.Combine(seen.Folder, "aligned");
        CliProcess.RunWith(home, "models", "add", "mine", Path.Combine(seen.Folder, "package")).Expect(0);
        CliResult refused = CliProcess.RunWith(home, "calibrate", "mine", "--images", aligned, "--aligned").Expect(2);
        Assert.Contains("was trained on 60 of these images", refused.Error, StringComparison.Ordinal);
        string lost = Copy("lost");
        File.Delete(Path.Combine(seen.Folder, lost, TrainingFingerprint.FileName));
        Refused(TrainingFingerprint.FileName, "export the package again", "eval", lost, "--data", "others", "--aligned");
    }

    [Fact]
    public void Invalid_validation_data_fails_before_the_first_step()
    {
        Refused("has 60 of the 60 training images", "hold some out", "train", "aligned", "--val", "aligned", "--width", "0.25", "--epochs", "1",
            "--batch", "16", "--out", "never");
        Refused("expected 112x112", "align the faces", "train", "others", "--val", "photos", "--width", "0.25", "--epochs", "1", "--batch", "16",
            "--out", "never");
        Assert.False(Directory.Exists(Path.Combine(seen.Folder, "never")));
    }

    [Fact]
    public void Held_out_people_trained_on_under_other_names_do_not_calibrate()
    {
        // Ten people, each under two names: half of the names are held out, so some people are on both sides.
        seen.Run("data", "make", "twice", "--people", "10", "--images", "4", "--seed", "3").Expect(0);
        foreach (string person in Directory.GetDirectories(Path.Combine(seen.Folder, "twice")))
        {
            Directory.CreateDirectory(person + "-again");
            Array.ForEach(Directory.GetFiles(person), file => File.Copy(file, Path.Combine(person + "-again", Path.GetFileName(file))));
        }

        Assert.Contains("10 more are held out",
            seen.Run("train", "twice", "--width", "0.25", "--embedding-size", "32", "--epochs", "1", "--batch", "20", "--val-people", "0.5", "--out",
            "twins").Expect(0).Error, StringComparison.Ordinal);
        Refused("twice: twins was trained on ", "--allow-overlap", "export", "twins", "--out", "certified");
        Refused("twice: twins was trained on ", "--allow-overlap", "export", "twins", "--out", "certified", "--int8");
        Assert.False(Directory.Exists(Path.Combine(seen.Folder, "certified")));
        seen.Run("export", "twins", "--out", "noted", "--allow-overlap").Expect(0);
        Assert.InRange(Calibration.Load(Path.Combine(seen.Folder, "noted", Calibration.FileName)).Overlap!.Images, 4, 40);
    }

    private string Copy(string name)
    {
        Directory.CreateDirectory(Path.Combine(seen.Folder, name));
        foreach (string file in Directory.GetFiles(Path.Combine(seen.Folder, "package")))
        {
            File.Copy(file, Path.Combine(seen.Folder, name, Path.GetFileName(file)));
        }

        return name;
    }

    private void Refused(string words, string advice, params string[] args)
    {
        CliResult result = seen.Run(args).Expect(2);
        string line = Assert.Single(result.Error.TrimEnd().Split('\n'), l => l.StartsWith("error: ", StringComparison.Ordinal));
        Assert.Contains(words, line, StringComparison.Ordinal);
        Assert.Contains(advice, line, StringComparison.Ordinal);
    }
}
