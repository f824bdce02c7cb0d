using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using UniFace.Faces;
using UniFace.TestSupport;
using UniFace.Vision.Imaging;

namespace UniFace.Cli.Tests.Gallery;

/// <summary>Enrolled people are found, removed people are not, and no acknowledged enrollment is lost.</summary>
public sealed class GalleryCommandTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("uniface-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void Gallery_or_key_file_that_other_users_can_read_causes_a_warning()
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Skip("modes are of Unix");
            return;
        }

        const UnixFileMode Owner = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        string package = Package("package", 1), gallery = At("people.gallery"), key = At("key");
        File.WriteAllText(key, new string('a', 64));
        File.SetUnixFileMode(key, Owner | UnixFileMode.OtherRead);
        CliResult created = CliProcess.Run("gallery", "create", gallery, package, "--key-file", key).Expect(0);
        Assert.StartsWith($"warning: {key} is open to other users", created.Error, StringComparison.Ordinal);
        Assert.Equal(Owner, File.GetUnixFileMode(gallery));
        File.SetUnixFileMode(key, Owner);
        Assert.Empty(CliProcess.Run("gallery", "list", gallery, "--key-file", key).Expect(0).Error);
        File.SetUnixFileMode(gallery, Owner | UnixFileMode.GroupRead);
        string[] warnings = CliProcess.Run("gallery", "list", gallery, "--key-file", key).Expect(0).Error.Trim().Split('\n');
        Assert.Contains($"{gallery} is open to other users of this machine (mode 640)", Assert.Single(warnings), StringComparison.Ordinal);
    }

    [Fact]
    public void People_are_enrolled_listed_identified_and_removed()
    {
        string package = Package("package", 1), gallery = At("people.gallery");
        Photos("photos", ("Ann", 1), ("Ann", 2), ("Bob", 3));
        Assert.Equal("best", CliProcess.Run("gallery", "create", gallery, package, "--json").Expect(0).Json().GetProperty("scoring").GetString());
        Assert.Contains("already exists", CliProcess.Run("gallery", "create", gallery, package).Expect(2).Error, StringComparison.Ordinal);
        JsonElement enrolled = Enroll(gallery, At("photos"));
        Assert.Equal(
            (3, 0, 2, 3),
            (enrolled.GetProperty("enrolled").GetInt32(), enrolled.GetProperty("already").GetInt32(),
             enrolled.GetProperty("people").GetInt32(), enrolled.GetProperty("templates").GetInt32()));
        JsonElement again = Enroll(gallery, At("photos"));
        Assert.Equal((0, 3, 3), (again.GetProperty("enrolled").GetInt32(), again.GetProperty("already").GetInt32(), again.GetProperty("templates").GetInt32()));
        string carl = Photo("carl.png", 9);
        Assert.Contains(
            "--person NAME", CliProcess.Run("gallery", "enroll", gallery, carl, "--aligned", "--any-quality").Expect(2).Error,
            StringComparison.Ordinal);
        Enroll(gallery, carl, "--person", "Carl C.");

        JsonElement list = CliProcess.Run("gallery", "list", gallery, "--json").Expect(0).Json();
        Assert.Equal(
            [("Ann", 2), ("Bob", 1), ("Carl C.", 1)],
            list.GetProperty("people").EnumerateArray().Select(p => (p.GetProperty("person").GetString()!, p.GetProperty("templates").GetInt32())));

        // The gallery stores the path of the package, whose calibration gives the threshold.
        JsonElement known = CliProcess.Run("gallery", "identify", gallery, At("photos/Ann/2.png"), "--aligned", "--fmr", "1e-2", "--json").Expect(0).Json();
        Assert.Equal(("match", "Ann"), (known.GetProperty("decision").GetString(), known.GetProperty("person").GetString()));
        Assert.Equal(1, known.GetProperty("score").GetDouble(), 1e-5);
        Assert.Equal(0.77, known.GetProperty("threshold").GetDouble());

        // The curve ends at 0.009, and 1000 pairs support at best 0.003.
        Assert.Equal(0.009, known.GetProperty("falseMatchRate").GetDouble(), 1e-9);
        Assert.Equal(
            ["Ann", "Bob", "Carl C."],
            known.GetProperty("candidates").EnumerateArray().Select(c => c.GetProperty("person").GetString()!).Order(StringComparer.Ordinal));

        // A search compares with all four enrolled faces.
        string[] target = ["gallery", "identify", gallery, At("photos/Ann/2.png"), "--aligned", "--json", "--fpir"];
        JsonElement supported = CliProcess.Run([.. target, "0.1"]).Expect(0).Json();
        Assert.Equal(1 - Math.Pow(0.9, 0.25), supported.GetProperty("thresholdFalseMatchRate").GetDouble(), 1e-9);
        Assert.Equal(0.1, supported.GetProperty("falsePositiveIdentificationRate").GetDouble(), 1e-9);
        Assert.Contains(
            "0.01 with 4 enrolled faces needs a false match rate of 0.00251", CliProcess.Run([.. target, "0.01"]).Expect(2).Error, StringComparison.Ordinal);
        CliResult replaced = CliProcess.Run("gallery", "identify", gallery, At("photos/Ann/2.png"), "--aligned").Expect(0);
        Assert.Contains("the smallest supported rate was used", replaced.Error, StringComparison.Ordinal);
        Assert.Contains(
            "with 4 enrolled faces of 3 people, a person who is not enrolled matches somebody in about 3.6",
            replaced.Out,
            StringComparison.Ordinal);

        JsonElement stranger = CliProcess.Run(
            "gallery", "identify", gallery, Photo("stranger.png", 77), "--aligned", "--threshold", "0.9999", "--json").Expect(1).Json();
        Assert.Equal(("unknown", JsonValueKind.Null), (stranger.GetProperty("decision").GetString(), stranger.GetProperty("person").ValueKind));
        Assert.True(stranger.GetProperty("score").GetDouble() < 0.9999);

        CliProcess.Run("gallery", "remove", gallery, "Ann").Expect(0);
        Assert.Contains("not enrolled: Ann", CliProcess.Run("gallery", "remove", gallery, "Ann").Expect(1).Out, StringComparison.Ordinal);
        JsonElement gone = CliProcess.Run(
            "gallery", "identify", gallery, At("photos/Ann/2.png"), "--aligned", "--threshold", "0.9999", "--json").Expect(1).Json();
        Assert.DoesNotContain("Ann", gone.GetProperty("candidates").EnumerateArray().Select(c => c.GetProperty("person").GetString()));
        Assert.Equal(2, CliProcess.Run("gallery", "rebuild", gallery, "--json").Expect(0).Json().GetProperty("rows").GetInt32());
        Assert.True(CliProcess.Run("gallery", "verify-integrity", gallery, "--json").Expect(0).Json().GetProperty("whole").GetBoolean());
    }

    [Fact]
    public void Bench_identify_times_every_part_from_photo_to_decision()
    {
        string package = Package("package", 1), gallery = At("people.gallery");
        Photos("photos", [.. Enumerable.Range(1, 9).Select(i => ("Ann", i))]);
        CliProcess.Run("gallery", "create", gallery, package).Expect(0);
        Enroll(gallery, At("photos"));
        JsonElement run = CliProcess.Run(
            "bench", "identify", package, gallery, At("photos"), "--aligned", "--fmr", "1e-2", "--photos", "6", "--json").Expect(0).Json();
        Assert.Equal(
            (6, 6, 6, 9),
            (run.GetProperty("photos").GetInt32(), run.GetProperty("faces").GetInt32(),
             run.GetProperty("matches").GetInt32(), run.GetProperty("templates").GetInt32()));
        JsonElement parts = run.GetProperty("parts");
        Assert.Equal(["decode", "find", "embed", "search"], parts.EnumerateObject().Select(p => p.Name));
        foreach (JsonElement time in parts.EnumerateObject().Select(p => p.Value).Append(run))
        {
            Assert.InRange(time.GetProperty("medianMs").GetDouble(), 0, time.GetProperty("p95Ms").GetDouble());
        }

        // The total is the sum of the parts, so no part takes longer.
        Assert.All(parts.EnumerateObject(), p => Assert.True(p.Value.GetProperty("p95Ms").GetDouble() <= run.GetProperty("p95Ms").GetDouble() + 0.01));
        Assert.Contains(
            "--photos 0", CliProcess.Run("bench", "identify", package, gallery, At("photos"), "--photos", "0").Expect(2).Error,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Identify_reports_a_photo_without_a_face()
    {
        Assert.SkipWhen(
            UniFace.Vision.Detection.FaceDetectors.Installed() is null,
            "needs the default detector; run setup/models.sh");
        string gallery = At("g.gallery"), wall = At("wall.png");
        File.WriteAllBytes(wall, ImageEncoder.Png(new RgbImage(200, 200)));
        CliProcess.Run("gallery", "create", gallery, Package("package", 1)).Expect(0);
        JsonElement answer = CliProcess.Run("gallery", "identify", gallery, wall, "--fmr", "1e-2", "--json").Expect(1).Json();
        Assert.Equal(
            ("no-face", JsonValueKind.Null, 0),
            (answer.GetProperty("decision").GetString(), answer.GetProperty("score").ValueKind, answer.GetProperty("candidates").GetArrayLength()));
    }

    [Fact]
    public void Gallery_with_crops_moves_to_another_model_and_back()
    {
        string first = Package("first", 1), second = Package("second", 2), gallery = At("g.gallery");
        Photos("photos", ("Ann", 1), ("Bob", 2));
        CliProcess.Run("gallery", "create", gallery, first, "--crops").Expect(0);
        Enroll(gallery, At("photos"));
        string[] identify = ["gallery", "identify", gallery, At("photos/Bob/2.png"), "--aligned", "--fmr", "1e-2", "--json"];
        double score = CliProcess.Run(identify).Expect(0).Json().GetProperty("candidates")[1].GetProperty("score").GetDouble();
        Assert.Contains(
            "embeddings of different models cannot be compared", CliProcess.Run([.. identify, "--package", second]).Expect(2).Error, StringComparison.Ordinal);
        CliProcess.Run("gallery", "reembed", gallery, second).Expect(0);
        JsonElement moved = CliProcess.Run(identify).Expect(0).Json();
        Assert.Equal("Bob", moved.GetProperty("person").GetString());
        Assert.NotEqual(score, moved.GetProperty("candidates")[1].GetProperty("score").GetDouble(), 1e-4);
        CliProcess.Run("gallery", "reembed", gallery, first).Expect(0);

        // Crops are stored without loss, so the embeddings are the same again.
        Assert.Equal(score, CliProcess.Run(identify).Expect(0).Json().GetProperty("candidates")[1].GetProperty("score").GetDouble(), 1e-6);
        Directory.Move(first, At("elsewhere"));
        Assert.Contains("give --package", CliProcess.Run(identify).Expect(2).Error, StringComparison.Ordinal);
        CliProcess.Run([.. identify, "--package", At("elsewhere")]).Expect(0);
    }

    [Fact]
    public void Encrypted_gallery_opens_only_with_its_key()
    {
        string gallery = At("g.gallery"), key = At("key"), other = At("other");
        File.WriteAllText(key, string.Concat(Enumerable.Repeat("ab", 32)) + "\n");
        File.WriteAllText(other, string.Concat(Enumerable.Repeat("cd", 32)));
        Photos("photos", ("Ann", 1));
        CliProcess.Run("gallery", "create", gallery, Package("package", 1), "--key-file", key).Expect(0);
        Enroll(gallery, At("photos"), "--key-file", key);
        Assert.Equal(
            "Ann",
            CliProcess.Run("gallery", "list", gallery, "--key-file", key, "--json").Expect(0).Json()
                .GetProperty("people")[0].GetProperty("person").GetString());
        Assert.Contains("give its key", CliProcess.Run("gallery", "list", gallery).Expect(2).Error, StringComparison.Ordinal);
        Assert.Contains("not the gallery's key", CliProcess.Run("gallery", "list", gallery, "--key-file", other).Expect(2).Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Photos_are_enrolled_once_and_faces_under_two_names_are_reported()
    {
        string gallery = At("g.gallery");
        foreach ((string at, int seed) in new[] { ("x", 1), ("y", 2), ("z", 1) })
        {
            Directory.CreateDirectory(At(at));
            Photo($"{at}/photo.png", seed);
        }

        CliProcess.Run("gallery", "create", gallery, Package("package", 1)).Expect(0);
        Assert.Equal(1, Enroll(gallery, At("x"), "--person", "Ann").GetProperty("enrolled").GetInt32());
        Assert.Equal(1, Enroll(gallery, At("y"), "--person", "Ann").GetProperty("enrolled").GetInt32());
        JsonElement again = Enroll(gallery, At("z"), "--person", "Ann");
        Assert.Equal((0, 1, 2), (again.GetProperty("enrolled").GetInt32(), again.GetProperty("already").GetInt32(), again.GetProperty("templates").GetInt32()));
        JsonElement other = Assert.Single(Enroll(gallery, At("z"), "--person", "Bob").GetProperty("lookAlikes").EnumerateArray());
        Assert.Equal(
            ("photo.png", "Bob", "Ann"),
            (other.GetProperty("photo").GetString(), other.GetProperty("person").GetString(), other.GetProperty("other").GetString()));
        Assert.Equal(0, Enroll(gallery, At("z"), "--person", "Carl", "--no-lookalikes").GetProperty("lookAlikes").GetArrayLength());
        string warnings = CliProcess.Run("gallery", "enroll", gallery, At("z"), "--person", "Dan", "--aligned", "--any-quality").Expect(0).Error;
        Assert.Contains("warning: photo.png is enrolled as Dan, but the face is enrolled as ", warnings, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(".")]
    [InlineData("..")]
    [InlineData("\u001b[31mred\u001b[0m")]
    [InlineData("a\nb")]
    [InlineData("a%2Fb")]
    [InlineData(null)] // 5,000 characters
    public void Name_that_the_service_cannot_erase_is_refused(string? given)
    {
        string name = given ?? new string('n', 5000), gallery = At("g.gallery");
        string photo = Photo("photo.png", 1);
        CliProcess.Run("gallery", "create", gallery, Package("package", 1)).Expect(0);
        string refused = CliProcess.Run("gallery", "enroll", gallery, photo, "--person", name, "--aligned", "--any-quality").Expect(2).Error;
        Assert.Contains("is not a valid name", refused, StringComparison.Ordinal);
        Assert.True(refused.Length < 500 && !refused.Contains('\u001b'));

        // As an earlier version enrolled it.
        Enroll(gallery, photo, "--person", "Ann");
        using (Microsoft.Data.Sqlite.SqliteConnection connection = new($"Data Source={gallery};Pooling=False"))
        {
            connection.Open();
            using Microsoft.Data.Sqlite.SqliteCommand rename = new("UPDATE person SET name_key = $name", connection);
            rename.Parameters.AddWithValue("$name", System.Text.Encoding.UTF8.GetBytes(name));
            rename.ExecuteNonQuery();
        }

        string list = CliProcess.Run("gallery", "list", gallery).Expect(0).Out;
        Assert.DoesNotContain('\u001b', list);
        Assert.DoesNotContain("a\nb", list, StringComparison.Ordinal);
        Assert.Equal(name, CliProcess.Run("gallery", "list", gallery, "--json").Expect(0).Json().GetProperty("people")[0].GetProperty("person").GetString());
        string identified = CliProcess.Run("gallery", "identify", gallery, photo, "--aligned", "--threshold", "0.5").Expect(0).Out;
        Assert.DoesNotContain('\u001b', identified);
        string removed = CliProcess.Run("gallery", "remove", gallery, name).Expect(0).Out;
        Assert.Equal(
            "removed: " + name.Replace("\u001b", "\\u001B", StringComparison.Ordinal).Replace("\n", "\\u000A", StringComparison.Ordinal),
            removed.TrimEnd('\r', '\n'));
    }

    [Fact]
    public void Identify_works_with_a_damaged_template_and_names_its_person()
    {
        string gallery = At("g.gallery");
        Photos("photos", ("Ann", 1), ("Bob", 2));
        CliProcess.Run("gallery", "create", gallery, Package("package", 1)).Expect(0);
        Enroll(gallery, At("photos"));
        using (Microsoft.Data.Sqlite.SqliteConnection connection = new($"Data Source={gallery};Pooling=False"))
        {
            connection.Open();
            using Microsoft.Data.Sqlite.SqliteCommand read = new("SELECT embedding FROM template WHERE id = 1", connection), write = new(
                "UPDATE template SET embedding = $e WHERE id = 1", connection);
            byte[] embedding = (byte[])read.ExecuteScalar()!;
            embedding[3] ^= 0x40; // the exponent
            write.Parameters.AddWithValue("$e", embedding);
            write.ExecuteNonQuery();
        }

        CliResult found = CliProcess.Run("gallery", "identify", gallery, At("photos/Bob/2.png"), "--aligned", "--threshold", "0.9999", "--json").Expect(0);
        Assert.Equal("Bob", found.Json().GetProperty("person").GetString());
        Assert.StartsWith("warning: Ann: template 1 is damaged", found.Error, StringComparison.Ordinal);
        Assert.Contains("template 1 of Ann", CliProcess.Run("gallery", "verify-integrity", gallery).Expect(1).Out, StringComparison.Ordinal);
    }

    [Fact]
    public void Gallery_is_backed_up_restored_and_rekeyed()
    {
        string gallery = At("g.gallery"), backup = At("b.gallery"), key = At("key"), other = At("other");
        File.WriteAllText(key, string.Concat(Enumerable.Repeat("ab", 32)) + "\n");
        File.WriteAllText(other, string.Concat(Enumerable.Repeat("cd", 32)));
        Photos("photos", ("Ann", 1), ("Bob", 2));
        CliProcess.Run("gallery", "create", gallery, Package("package", 1)).Expect(0);
        Enroll(gallery, At("photos"));
        Assert.Contains("--new-key-file", CliProcess.Run("gallery", "rekey", gallery).Expect(2).Error, StringComparison.Ordinal);
        CliProcess.Run("gallery", "rekey", gallery, "--new-key-file", key).Expect(0);
        Assert.True(CliProcess.Run("gallery", "backup", gallery, backup, "--key-file", key, "--json").Expect(0).Json().GetProperty("encrypted").GetBoolean());
        CliProcess.Run("gallery", "rekey", gallery, "--key-file", key, "--new-key-file", other).Expect(0);
        CliProcess.Run("gallery", "remove", gallery, "Ann", "--key-file", other).Expect(0);
        Assert.Contains("overwrite it", CliProcess.Run("gallery", "restore", backup, gallery, "--key-file", key).Expect(2).Error, StringComparison.Ordinal);
        CliProcess.Run("gallery", "restore", backup, gallery, "--key-file", key, "--overwrite").Expect(0);
        CliProcess.Run("gallery", "rekey", gallery, "--key-file", key, "--no-key").Expect(0);
        Assert.Equal(2, CliProcess.Run("gallery", "list", gallery, "--json").Expect(0).Json().GetProperty("people").GetArrayLength());
        Assert.True(CliProcess.Run("gallery", "verify-integrity", gallery, "--json").Expect(0).Json().GetProperty("whole").GetBoolean());
        Assert.Contains("pg_dump", CliProcess.Run("gallery", "backup", "postgres://h/d?gallery=g", backup).Expect(2).Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Acknowledged_enrollments_survive_kill_9()
    {
        string gallery = At("g.gallery");
        for (int kill = 0; kill < 3; kill++)
        {
            using Process process = CliProcess.Start(folder, "bench", "enroll", "--size", "20000", "--dim", "64", "--batch", "5", "--to", gallery, "--acks");
            long acknowledged = 0;
            for (int lines = 0; lines < 20 + (kill * 37) && process.StandardError.ReadLine() is string line; lines++)
            {
                acknowledged = Number(line) ?? acknowledged;
            }

            process.Kill();
            acknowledged = process.StandardError.ReadToEnd().Split('\n').SkipLast(1).Select(Number).LastOrDefault(n => n is not null) ?? acknowledged;
            process.WaitForExit();
            Assert.True(acknowledged > 0);
            JsonElement whole = CliProcess.Run("gallery", "verify-integrity", gallery, "--json").Expect(0).Json();
            Assert.True(whole.GetProperty("templates").GetInt64() >= acknowledged, $"{acknowledged} acknowledged, {whole.GetProperty("templates")} there");
        }

        static long? Number(string line) => line.StartsWith("ack ", StringComparison.Ordinal) ? long.Parse(line.AsSpan(4), CultureInfo.InvariantCulture) : null;
    }

    private static JsonElement Enroll(string gallery, string photos, params string[] more) =>
        CliProcess.Run(["gallery", "enroll", gallery, photos, "--aligned", "--any-quality", "--json", .. more]).Expect(0).Json();

    private string At(string name) => Path.Combine(folder, name);

    private void Photos(string name, params (string Person, int Seed)[] photos)
    {
        foreach ((string person, int seed) in photos)
        {
            Directory.CreateDirectory(At($"{name}/{person}"));
            Photo($"{name}/{person}/{seed}.png", seed);
        }
    }

    private string Photo(string name, int seed)
    {
        RgbImage image = new(112, 112);
        new Random(seed).NextBytes(image.Pixels);
        File.WriteAllBytes(At(name), ImageEncoder.Png(image));
        return At(name);
    }

    private string Package(string name, int seed) => TestPackage.Write(At(name), seed);
}
