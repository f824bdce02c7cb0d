using System.Text;
using TorchSharp;
using UniFace.TestSupport;
using UniFace.Training.Checkpoints;
using UniFace.Training.Loop;
using UniFace.Training.Runs;

namespace UniFace.Training.Tests.Runs;

/// <summary>Readers of runs and weights read or refuse damaged files and throw no other exception.</summary>
public sealed class RunFuzzTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("uniface-fuzz-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void Description_of_a_run()
    {
        RunFolder.WriteInfo(folder, new RunInfo
        {
            ToolVersion = "test",
            Started = DateTime.UnixEpoch,
            Options = Toy.Options with { Backbone = new("mobilefacenet", 0.25, 8), MoreData = [new("more", 0.5)] },
            DataHash = RunInfo.Incomplete,
            DataFingerprint = new string('0', 64),
            People = 5,
            Images = 6,
            StepsPerEpoch = 7,
        });
        Fuzzer.Run([File.ReadAllBytes(At(RunFolder.InfoFile))], bytes =>
        {
            File.WriteAllBytes(At(RunFolder.InfoFile), bytes);
            RunFolder.ReadInfo(folder).Options.Validate();
        });
    }

    [Fact]
    public void A_hyperparameter_that_is_given_twice_is_refused()
    {
        // Found by fuzzing.
        const string Loss = """{"name": "uce", "hyperparameters": {"margin": 0.4, "margin": 0.3}}""";
        Assert.Contains(
            "margin is given twice",
            Assert.Throws<System.Text.Json.JsonException>(() => System.Text.Json.JsonSerializer.Deserialize<Training.Losses.Loss>(Loss)).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Events_of_a_run()
    {
        RunEventLog.Add(folder, new RunNote(DateTime.UnixEpoch, 1, 2, RunEvent.Started, "started"));
        RunEventLog.Add(folder, new RunNote(DateTime.UnixEpoch, 3, 4, RunEvent.Finished, "finished"));
        Fuzzer.Run([File.ReadAllBytes(At(RunFolder.NotesFile))], bytes =>
        {
            File.WriteAllBytes(At(RunFolder.NotesFile), bytes);
            RunEventLog.Read(folder);
        });
    }

    [Fact]
    public void Metrics_of_a_run() => Fuzzer.Run(
        [
            Encoding.UTF8.GetBytes("{\"kind\":\"step\",\"step\":1,\"loss\":2}\n{\"kind\":\"epoch\",\"epoch\":1,\"step\":2}\n"),
            Encoding.UTF8.GetBytes("{\"kind\":\"step\",\"step\":1,\"step\":2}\n"), // One name twice.
        ],
        bytes =>
        {
            File.WriteAllBytes(At(RunFolder.MetricsFile), bytes);
            using MetricsLog log = new(folder, 2, 1);
        });

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Checkpoint(bool checksum)
    {
        using (torch.Tensor weights = torch.arange(12, torch.float32).reshape(3, 4))
        {
            Dictionary<string, torch.Tensor> tensors = new() { ["a"] = weights, ["b"] = weights };
            SafeTensorsWriter.Write(At("w.safetensors"), tensors, new Dictionary<string, string> { ["format"] = "pt" });
        }

        byte[] good = File.ReadAllBytes(At("w.safetensors"));
        if (!checksum)
        {
            int at = good.AsSpan().IndexOf("sha256"u8);
            good[at] = (byte)'x'; // another key of the metadata
        }

        Fuzzer.Run([good], bytes =>
        {
            File.WriteAllBytes(At("w.safetensors"), bytes);
            using SafeTensorsFile file = SafeTensorsFile.Open(At("w.safetensors"));
            foreach (string name in file.Entries.Keys)
            {
                file.Read(name).Dispose();
            }
        });
    }

    private string At(string name) => Path.Combine(folder, name);
}
