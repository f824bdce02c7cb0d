using System.CommandLine;
using System.Text;
using UniFace.Cli.Losses;
using UniFace.TestSupport;

namespace UniFace.Cli.Tests.Terminal;

/// <summary>Files that commands take are read or refused if they are damaged, without another exception.</summary>
public sealed class InputFuzzTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("uniface-fuzz-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void Config()
    {
        string path = Path.Combine(folder, "config.yaml");
        RootCommand root = CommandHost.Root();
        string[] args = ["train", "faces", "--config", path];
        Fuzzer.Run(
            [
                "epochs: 20\nsteps: [8, 12]\naugment: { flip: 0.5, color: 0.2 }\nlr: 0.1\n"u8.ToArray(),
                "loss: &a uce\nout: *a\nseed: \"1\"\nschedule: |\n  step\n"u8.ToArray(),
            ],
            bytes =>
            {
                File.WriteAllBytes(path, bytes);
                root.Parse(CommandLine.ConfigFile.Read(root.Parse(args))!.AddTo(args));
            });
    }

    [Fact]
    public void Cases_of_losses()
    {
        string path = Path.Combine(folder, "cases.json");
        const string Good = """
            {"embeddings": [[3, 0]], "centers": [[1, 0], [0, 2]], "labels": [0], "cases": [{"name": "normface", "params": {"s": 2}, "loss": 1,
            "gradEmbeddings": [[0, 0.5]], "gradCenters": [[0, 0], [0.5, 0]]}]}
            """;
        Fuzzer.Run([Encoding.UTF8.GetBytes(Good)], bytes =>
        {
            File.WriteAllBytes(path, bytes);
            LossCaseFile.Read(path);
        });
    }
}
