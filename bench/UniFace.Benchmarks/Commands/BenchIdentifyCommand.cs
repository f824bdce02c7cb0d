using System.CommandLine;
using UniFace.CommandLine.Options;
using UniFace.CommandLine.Terminal;
using UniFace.Data;
using UniFace.Decisions;
using UniFace.Gallery;
using UniFace.Vision;

namespace UniFace.Benchmarks.Commands;

/// <summary>`uniface bench identify`: time from photo to decision.</summary>
internal static class BenchIdentifyCommand
{
    private const string Description = """
        Time identification from photo to decision. Processes one photo after the other, with everything loaded and warm: decode the file, find and align
        the face, embed it, search the gallery and decide.
        Example: uniface bench identify faceplugin-mobilefacenet people.gallery photos --json
        """;

    public static Command Create()
    {
        Argument<string> photos = new("PHOTOS") { Description = "A photo, a folder of photos at any depth, or a tar of photos." };
        CliOption<int> most = new("--photos", "Number of photos to use, evenly spread.") { Default = 200, Range = (1, 1_000_000) };
        DecisionOptions decide = new();
        GalleryOptions gallery = new();
        VisionOptions vision = new();
        IEnumerable<Symbol> parameters =
            [vision.Package, gallery.Gallery, photos, most, decide.FalseMatchRate, .. gallery.Keys, .. vision.Detection, .. vision.Model];
        return CliCommand.Create("identify", Description, parameters, async (parsed, stop) =>
        {
            int threads = vision.ThreadCount(parsed);
            using FaceRecognizer recognizer = vision.Open(parsed, parsed.GetRequiredValue(vision.Package), detectorThreads: threads);
            using PhotoSet set = PhotoSet.Open(parsed.GetRequiredValue(photos));
            await using StoredGallery store = await gallery.OpenAsync(parsed, stop);
            long templates = (await store.CountAsync(stop)).Templates;
            Decision decision = DecisionOptions.Decide(recognizer.Package, () => decide.Rule(parsed).ForIdentification(recognizer.Calibration, templates));
            int count = Math.Min(parsed.GetValue(most), set.Names.Count);
            IdentifySpeed speed;
            using (ProgressMeter progress = new("identifying", count + IdentifyBenchmark.WarmUp))
            {
                speed = await IdentifyBenchmark.RunAsync(set, count, recognizer, store, decision.Threshold, () => progress.Add(), stop);
            }

            object json = new
            {
                speed.Photos,
                speed.Faces,
                speed.Matches,
                templates,
                threads,
                detector = recognizer.Photos.DetectorName,
                speed.Total.MedianMs,
                speed.Total.P95Ms,
                speed.FullDecode,
                speed.Parts,
            };
            parsed.Print(json, () =>
            {
                Output.Table(
                    ["", "median ms", "95th percentile ms"],
                    speed.Parts.Append(new("photo to decision", speed.Total)).Append(new("decode in full, for comparison", speed.FullDecode))
                        .Select(part => (object[])[part.Key, $"{part.Value.MedianMs:F1}", $"{part.Value.P95Ms:F1}"]));
                Console.WriteLine(
                    $"{Plural.Format(speed.Photos, "photo")}, {speed.Faces} with a face, {speed.Matches} matches among " +
                    $"{Plural.Format(templates, "template")}; {Plural.Format(threads, "thread")}");
            });
        });
    }
}
