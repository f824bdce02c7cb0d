using System.Text.Json;
using UniFace.Cli.Tests.Reports;
using UniFace.IO;
using UniFace.Packages;

namespace UniFace.Cli.Tests.Demo;

/// <summary>The demo completes the whole workflow with usable results, and never touches files that it did not write.</summary>
public class DemoCommandTests
{
    [Fact]
    public async Task Quick_demo_completes_the_workflow_and_writes_every_output()
    {
        CancellationToken stop = TestContext.Current.CancellationToken;
        string folder = Path.Combine(Directory.CreateTempSubdirectory("uniface-demo").FullName, "out");
        try
        {
            CliResult result = CliProcess.Run("demo", "--quick", "--out", folder, "--seed", "1", "--json");
            JsonElement json = result.Json();
            bool identified = json.GetProperty("identified").GetBoolean(), rejected = json.GetProperty("rejected").GetBoolean();

            // The exit code is 0 exactly if both answers are right.
            Assert.Equal(identified && rejected ? 0 : 1, result.ExitCode);

            // The answer for a single face depends on rounding, which differs between machines; most answers must be right.
            JsonElement asked = json.GetProperty("gallery");
            Assert.True(asked.GetProperty("matedRight").GetInt32() >= 0.6 * asked.GetProperty("mated").GetInt32(), result.Error);
            Assert.True(asked.GetProperty("nonMatedRight").GetInt32() >= 0.75 * asked.GetProperty("nonMated").GetInt32(), result.Error);
            double before = json.GetProperty("before").GetProperty("auc").GetDouble(), after = json.GetProperty("after").GetProperty("auc").GetDouble();
            Assert.True(after > before + 0.05 && after > 0.8, $"area under ROC {before} before, {after} after training");
            Assert.True(json.GetProperty("parity").GetDouble() >= 0.9999);

            ModelPackage package = ModelPackage.Open(Path.Combine(folder, "package"));
            Assert.Equal(json.GetProperty("contractId").GetString(), package.Manifest!.ContractId);
            Calibration calibration = Calibration.Load(Path.Combine(folder, "package", "calibration.json"));
            calibration.EnsureFits(package.Manifest);
            Assert.Equal(calibration.ThresholdAt(json.GetProperty("falseMatchRate").GetDouble()), json.GetProperty("threshold").GetDouble());

            // The gallery stays for the user.
            JsonElement gallery = CliProcess.Run("gallery", "list", Path.Combine(folder, "people.gallery"), "--json").Expect(0).Json();
            Assert.Equal(json.GetProperty("contractId").GetString(), gallery.GetProperty("contractId").GetString());
            string known = json.GetProperty("known").GetProperty("person").GetString()!;
            Assert.Contains(known, gallery.GetProperty("people").EnumerateArray().Select(p => p.GetProperty("person").GetString()));
            string photo = Directory.GetFiles(Path.Combine(folder, "faces", "unseen", known)).First();
            JsonElement who = CliProcess.Run(
                "gallery", "identify", Path.Combine(folder, "people.gallery"), photo, "--aligned", "--threshold", "-1", "--json").Expect(0).Json();
            Assert.Equal("match", who.GetProperty("decision").GetString());

            string[] rows = File.ReadAllLines(Path.Combine(folder, "metrics.jsonl"));
            Assert.Equal(
                json.GetProperty("epochs").GetInt32() + 1,
                rows.Count(r => JsonDocument.Parse(r).RootElement.GetProperty("kind").GetString() == "epoch"));

            // 'uniface serve' shows the demo's people, its run and its evaluation.
            using (CliService service = await CliProcess.ServeAsync(Path.GetDirectoryName(folder)!, "--package", "out/package"))
            using (HttpClient http = new() { BaseAddress = service.Address })
            {
                Assert.Equal(10, JsonDocument.Parse(await http.GetStringAsync("/v1/people", stop)).RootElement.GetProperty("total").GetInt32());
                JsonElement evaluation = JsonDocument.Parse(await http.GetStringAsync("/v1/results", stop)).RootElement.GetProperty("results")[0];
                Assert.Equal("evaluation", evaluation.GetProperty("name").GetString());
                Assert.Equal(after, evaluation.GetProperty("report").GetProperty("auc").GetDouble());
                Assert.Equal(3, evaluation.GetProperty("figures").GetArrayLength());
                string runs = await http.GetStringAsync("/v1/runs", stop);
                Assert.Equal("run", JsonDocument.Parse(runs).RootElement.GetProperty("runs")[0].GetProperty("name").GetString());
            }

            // Another demo does not delete people whom the user has enrolled.
            CliProcess.Run("gallery", "enroll", Path.Combine(folder, "people.gallery"), photo, "--person", "Ann", "--aligned", "--any-quality").Expect(0);
            Assert.Contains("has Ann", CliProcess.Run("demo", "--quick", "--out", folder).Expect(2).Error, StringComparison.Ordinal);
            Assert.True(File.Exists(Path.Combine(folder, "package", "model.onnx")));

            string html = File.ReadAllText(Path.Combine(folder, "report.html"));
            HtmlTests.AssertSelfContained(html);
            Assert.All(
                (string[])[
                    "synthetic", "The faces", "Before training", "After training", "Learning rate", "What m and s do", "ROC", "DET",
                    "Pairs and their scores", "Who is it?", "What next"],
                part => Assert.Contains(part, html, StringComparison.Ordinal));
            Assert.True(html.Split("<svg").Length > 10);
        }
        finally
        {
            Directory.Delete(Path.GetDirectoryName(folder)!, recursive: true);
        }
    }

    [Fact]
    public void Demo_does_not_touch_a_folder_with_other_files()
    {
        string folder = Directory.CreateTempSubdirectory("uniface-demo").FullName;
        try
        {
            AtomicFile.WriteText(Path.Combine(folder, "letter.txt"), "dear");
            CliResult result = CliProcess.Run("demo", "--quick", "--out", folder).Expect(2);
            Assert.Contains("--out", result.Error, StringComparison.Ordinal);
            Assert.Equal(["letter.txt"], Directory.GetFileSystemEntries(folder).Select(f => Path.GetFileName(f)));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
