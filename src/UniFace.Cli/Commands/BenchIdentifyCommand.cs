using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using Spectre.Console;
using UniFace.Data;
using UniFace.Faces;
using UniFace.Gallery;
using UniFace.Vision;
using UniFace.Vision.Onnx;

namespace UniFace.Cli.Commands;

/// <summary>uniface bench identify: how long from a photo to the decision who it is.</summary>
internal static class BenchIdentifyCommand
{
    private const int WarmUp = 5;

    private static readonly string[] Parts = ["decode", "find", "embed", "search"];

    public static Command Create()
    {
        Argument<string> package = new("PACKAGE") { Description = "The gallery's model package (folder, or name of 'uniface models list')." };
        Argument<string> photos = new("PHOTOS") { Description = "A photo, a folder of photos at any depth, or a tar of them." };
        Option<int> most = new("--photos") { Description = "How many of the photos to take, evenly spread.", DefaultValueFactory = _ => 200, HelpName = "N" };
        Option<double?> fmr = new("--fmr") { Description = "False match rate to decide at, by the package's calibration; 1e-3 by default.", HelpName = "RATE" };
        GalleryOptions gallery = new();
        VisionOptions vision = new();
        Command command = new(
            "identify",
            "Time photo to decision, one photo after the other, everything loaded and warm: decode the file, find and align the face, embed it, search the gallery and decide." +
            "\nExample: uniface bench identify faceplugin-mobilefacenet people.gallery photos --json")
        {
            package, gallery.Gallery, photos, most, fmr,
        };
        gallery.AddKeyTo(command);
        vision.AddDetection(command);
        vision.AddModel(command);
        command.SetAction(async (parsed, stop) =>
        {
            int wanted = parsed.GetValue(most) is int n and >= 1 and <= 1_000_000 ? n : throw new UniFaceException($"--photos {parsed.GetValue(most)}: expected 1 to 1,000,000.");
            using FaceRecognizer recognizer = vision.Open(parsed, parsed.GetRequiredValue(package), detectorThreads: vision.ThreadCount(parsed));
            OnnxEmbedder embedder = recognizer.Embedder;
            Decision decision = Decision.Of(recognizer.Package, recognizer.Calibration, null, parsed.GetValue(fmr));
            FacePipeline pipeline = recognizer.Photos;
            using PhotoSet set = PhotoSet.Open(parsed.GetRequiredValue(photos));
            await using IStoredGallery store = await gallery.OpenAsync(parsed, stop).ConfigureAwait(false);
            int count = Math.Min(wanted, set.Names.Count), faces = 0, matches = 0;
            List<double[]> times = [];
            using (Progress progress = new("identifying", count + WarmUp))
            {
                for (int i = -WarmUp; i < count; i++)
                {
                    stop.ThrowIfCancellationRequested();
                    int photo = (int)((long)Math.Max(i, 0) * set.Names.Count / count);
                    byte[] file = set.Read(photo);
                    long[] at = new long[Parts.Length + 1];
                    at[0] = Stopwatch.GetTimestamp();
                    RgbImage image = recognizer.Decoder.Decode(file, set.Names[photo]);
                    at[1] = Stopwatch.GetTimestamp();
                    AlignedFace? face = pipeline.Align(image);
                    at[2] = at[3] = at[4] = Stopwatch.GetTimestamp();
                    Identification? answer = null;
                    if (face is not null)
                    {
                        float[] embedding = embedder.Embed([face.Image]);
                        at[3] = Stopwatch.GetTimestamp();
                        answer = await store.IdentifyAsync(embedding, embedder.Manifest.ContractId, decision.Threshold, 5, stop).ConfigureAwait(false);
                        at[4] = Stopwatch.GetTimestamp();
                    }

                    if (i >= 0)
                    {
                        times.Add([.. Enumerable.Range(0, Parts.Length).Select(p => Stopwatch.GetElapsedTime(at[p], at[p + 1]).TotalMilliseconds), Stopwatch.GetElapsedTime(at[0], at[^1]).TotalMilliseconds]);
                        faces += face is null ? 0 : 1;
                        matches += answer is { IsMatch: true } ? 1 : 0;
                    }

                    progress.Add(1);
                }
            }

            Show(parsed, times, new Run(count, faces, matches, (await store.CountAsync(stop).ConfigureAwait(false)).Templates, vision.ThreadCount(parsed), pipeline.DetectorName));
            return ExitCode.Success;
        });
        return command;
    }

    private static void Show(ParseResult parsed, List<double[]> times, Run run)
    {
        Dictionary<string, Time> parts = Parts.Select((name, p) => (name, Time.Of(times, p))).ToDictionary(p => p.name, p => p.Item2);
        Time all = Time.Of(times, Parts.Length);
        if (parsed.GetValue(CommonOptions.Json))
        {
            Output.Json(new { run.Photos, run.Faces, run.Matches, run.Templates, run.Threads, run.Detector, all.MedianMs, all.P95Ms, parts });
            return;
        }

        Table table = new Table().Border(TableBorder.Rounded).AddColumns("", "median ms", "95 % below ms");
        foreach ((string name, Time time) in parts.Append(new("photo to decision", all)))
        {
            table.AddRow(name, time.MedianMs.ToString("F1", CultureInfo.InvariantCulture), time.P95Ms.ToString("F1", CultureInfo.InvariantCulture));
        }

        AnsiConsole.Write(table);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{Plural.Of(run.Photos, "photo")}, {run.Faces} with a face, {run.Matches} matches among {Plural.Of(run.Templates, "template")}; {Plural.Of(run.Threads, "thread")}"));
    }

    /// <summary>What was timed.</summary>
    private sealed record Run(int Photos, int Faces, int Matches, long Templates, int Threads, string Detector);

    /// <summary>Times of a part over all photos, milliseconds.</summary>
    private sealed record Time(double MedianMs, double P95Ms)
    {
        public static Time Of(List<double[]> times, int part)
        {
            double[] each = [.. times.Select(t => t[part]).Order()];
            return new Time(At(0.5), At(0.95));

            double At(double share) => Math.Round(each[(int)Math.Ceiling(share * each.Length) - 1], 2);
        }
    }
}
