using UniFace.CommandLine.Serve;

namespace UniFace.Cli.Demo;

/// <summary>`uniface demo`: the whole workflow on synthetic faces, with a report.</summary>
internal static class DemoCommand
{
    private const string Description = """
        Run the whole workflow on synthetic faces in a few minutes. The demo generates faces, trains, evaluates on unseen people, calibrates, exports, enrolls
        ten people and identifies one, and writes a report.
        Example: uniface demo --out demo-out --seed 1
        """;

    public static Command Create()
    {
        CliOption<string> output = new("--out", "Folder to write; a folder of an earlier demo is overwritten.", "FOLDER")
        {
            Default = ServedDemo.DefaultFolder,
        };
        CliOption<long> seed = new("--seed", "Seed of the people, their images and the training.") { Default = 1 };
        CliOption<bool> quick = new("--quick", "Run in about 30 seconds, with fewer people and easier images.");
        return CliCommand.Create("demo", Description, [output, seed, quick], async (parsed, stop) =>
        {
            DemoFolder folder = await DemoFolder.PrepareAsync(parsed.GetRequiredValue(output), stop);
            DemoPlan plan = parsed.GetValue(quick) ? DemoPlan.CreateQuick(parsed.GetValue(seed)) : new DemoPlan { Seed = parsed.GetValue(seed) };
            TextWriter writer = parsed.GetValue(CliCommand.Json) ? Console.Error : Console.Out;
            writer.WriteLine("The whole workflow from images to an identity. The faces are synthetic; nothing is downloaded.");
            DemoResults results = await new DemoRun(plan, folder, writer, stop).RunAsync();
            Close(writer, results, folder.Report, parsed.GetRequiredValue(output));
            parsed.Print(results.ToJson(folder), () => { });
            return results.Succeeded;
        });
    }

    private static void Close(TextWriter writer, DemoResults results, string report, string folder)
    {
        writer.WriteLine($"\nDone in {results.Seconds:F0} s. Open {report}");
        if (Path.GetFullPath(folder) == Path.GetFullPath(ServedDemo.DefaultFolder))
        {
            writer.WriteLine("'uniface serve' shows its people, its training and its evaluation in a browser.");
        }

        foreach (DemoProbe probe in new[] { results.Gallery.Known, results.Gallery.Unknown }.Where(probe => !probe.IsCorrect))
        {
            writer.WriteLine("FAILED: " + probe.Describe());
        }

        writer.WriteLine("""
            These numbers describe synthetic faces and say nothing about real ones. With your own photos:
              uniface align PHOTOS FACES                # find and align the faces, one folder per person
              uniface train FACES --loss uce --out RUN  # train
              uniface export RUN --out PACKAGE          # write the package that applications load
              uniface verify PACKAGE A.jpg B.jpg        # one person or two?
            """);
    }
}
