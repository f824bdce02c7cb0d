using System.Diagnostics;
using UniFace.Cli.Terminal;
using UniFace.Data;
using UniFace.Faces;
using UniFace.IO;
using UniFace.Vision;

namespace UniFace.Cli.Photos;

/// <summary>
/// One run of 'uniface align': photos in parallel, each face written whole as soon as it is there, so a run that is
/// stopped or killed goes on where it was. Memory does not grow with the number of photos.
/// </summary>
internal sealed class AlignRun
{
    private const int SheetFaces = 216;
    private const int SheetLeftOut = 36;

    private readonly PhotoSet photos;
    private readonly string output;
    private readonly SkiaImageDecoder decoder;
    private readonly FacePipeline pipeline;
    private readonly AlignSettings settings;
    private readonly bool overwrite;
    private readonly string[] targets;
    private readonly AlignOutcome?[] outcomes;
    private readonly int[] written;
    private readonly Lock gate = new();
    private readonly SortedDictionary<int, string> details = [];
    private readonly SortedDictionary<int, int> several = [];

    public AlignRun(PhotoSet photos, string output, SkiaImageDecoder decoder, FacePipeline pipeline, AlignSettings settings, bool overwrite)
    {
        this.photos = photos;
        this.output = output;
        this.decoder = decoder;
        this.pipeline = pipeline;
        this.settings = settings;
        this.overwrite = overwrite;
        if (File.Exists(output))
        {
            throw new UniFaceException($"{output}: a file; OUT is a folder for the aligned faces.");
        }

        string report = Path.Combine(output, AlignReport.FileName);
        if (!overwrite && AlignReport.SettingsOf(report) is AlignSettings earlier && earlier != settings)
        {
            throw new UniFaceException($"{output} holds faces aligned by other settings ({earlier.Detector}, size {earlier.Size}, ...; see {AlignReport.FileName}); name another folder, or give --overwrite.");
        }

        photos.RequireApart(output);
        targets = Targets();
        outcomes = new AlignOutcome?[photos.Names.Count];
        written = new int[photos.Names.Count];
    }

    private string Extension => settings.Format == CropFormat.Png ? ".png" : ".jpg";

    /// <summary>Aligns all photos. Where it is stopped, the report says so and what is written is whole.</summary>
    public AlignReport Run(int threads, CancellationToken stop)
    {
        Stopwatch clock = Stopwatch.StartNew();
        string reportPath = Path.Combine(output, AlignReport.FileName);
        Report(clock, complete: false, sheet: null).Save(reportPath);
        try
        {
            using ProgressMeter progress = new("aligning", photos.Names.Count);
            Parallel.For(0, photos.Names.Count, new ParallelOptions { MaxDegreeOfParallelism = threads, CancellationToken = stop }, i =>
            {
                outcomes[i] = AlignOne(i);
                progress.Add();
            });
        }
        catch (OperationCanceledException)
        {
            AlignReport stopped = Report(clock, complete: false, sheet: null);
            stopped.Save(reportPath);
            return stopped;
        }
        catch (AggregateException e) when (e.Flatten().InnerExceptions is [Exception first, ..] && first is IOException or UnauthorizedAccessException or UniFaceException)
        {
            // A photo that fails is an outcome; this is OUT that cannot be written.
            throw new UniFaceException($"{output}: {e.Flatten().InnerExceptions[0].Message}", e);
        }

        clock.Stop();
        AlignReport report = Report(clock, complete: true, WriteSheet());
        report.Save(reportPath);
        return report;
    }

    private AlignOutcome AlignOne(int index)
    {
        if (!overwrite && File.Exists(targets[index]))
        {
            return AlignOutcome.Existing;
        }

        FaceSearch found;
        byte[] photo;
        try
        {
            photo = photos.Read(index);
            found = pipeline.Search(decoder.Decode(photo, photos.Names[index]), settings.Faces);
        }
        catch (UniFaceException e)
        {
            return Left(index, AlignOutcome.Unreadable, e.Message);
        }

        if (found.Found - found.Unsure > 1)
        {
            lock (gate)
            {
                several[index] = found.Found - found.Unsure;
            }
        }

        if (found.Faces.Count == 0)
        {
            return found.TooSmall > 0
                ? Left(index, AlignOutcome.TooSmall, FormattableString.Invariant($"{Plural.Format(found.TooSmall, "face")}, none with a side of {settings.MinFace} pixels"))
                : Left(index, AlignOutcome.NoFace, "the detector found no face");
        }

        if (pipeline.Strict && settings.Faces == FaceChoice.Largest && found.Faces[0].Ambiguous)
        {
            return Left(index, AlignOutcome.Ambiguous, FacePipeline.DescribeAmbiguity(found.Faces[0]));
        }

        string source = CropSource.Read(photo) ?? Sha256.HashBytes(photo); // a crop of a crop is of the first photo

        // The main face last: where it stands, the others do.
        for (int f = found.Faces.Count - 1; f >= 0; f--)
        {
            string target = f == 0 ? targets[index] : Path.ChangeExtension(targets[index], FormattableString.Invariant($".face{f + 1}{Extension}"));
            byte[] bytes = settings.Format == CropFormat.Png ? ImageEncoder.Png(found.Faces[f].Image) : ImageEncoder.Jpeg(found.Faces[f].Image);
            AtomicFile.Write(target, stream => stream.Write(CropSource.Write(bytes, source)));
        }

        written[index] = found.Faces.Count;
        return AlignOutcome.Aligned;
    }

    private AlignOutcome Left(int index, AlignOutcome outcome, string detail)
    {
        lock (gate)
        {
            details[index] = detail;
        }

        return outcome;
    }

    /// <summary>Where each photo's main face goes: its own path with the crop's extension; never outside of OUT, never two to one.</summary>
    private string[] Targets()
    {
        string root = Path.TrimEndingDirectorySeparator(Path.GetFullPath(output)) + Path.DirectorySeparatorChar;
        HashSet<string> taken = new(StringComparer.OrdinalIgnoreCase);
        string[] result = new string[photos.Names.Count];
        for (int i = 0; i < result.Length; i++)
        {
            string name = photos.Names[i];
            string target = Path.GetFullPath(Path.Combine(output, Path.ChangeExtension(name, Extension)));
            if (!taken.Add(target))
            {
                // a.png beside a.jpg.
                target = Path.GetFullPath(Path.Combine(output, name + Extension));
                taken.Add(target);
            }

            result[i] = target.StartsWith(root, StringComparison.Ordinal)
                ? target
                : throw new UniFaceException($"{photos.Source}: the picture '{name}' would be written outside of {output}; the names in it are not to be trusted.");
        }

        if (result is [string only])
        {
            Output.RequireNotInput(only, photos.Source);
        }

        // A folder in OUT may be a link.
        photos.RequireApart(result.Select(target => Path.GetDirectoryName(target)!).Distinct().Where(Directory.Exists));
        return result;
    }

    private AlignReport Report(Stopwatch clock, bool complete, string? sheet)
    {
        double seconds = clock.Elapsed.TotalSeconds;
        int worked = outcomes.Count(outcome => outcome is not (null or AlignOutcome.Existing));
        AlignOutcome?[] now = [.. outcomes];
        lock (gate)
        {
            return new AlignReport(
                new AlignSummary
                {
                    Source = photos.Source,
                    Out = output,
                    Settings = settings,
                    Complete = complete,
                    Photos = photos.Names.Count,
                    Aligned = Count(AlignOutcome.Aligned),
                    Faces = written.Sum(),
                    Existing = Count(AlignOutcome.Existing),
                    SeveralFaces = several.Count,
                    Ambiguous = Count(AlignOutcome.Ambiguous),
                    NoFace = Count(AlignOutcome.NoFace),
                    TooSmall = Count(AlignOutcome.TooSmall),
                    Unreadable = Count(AlignOutcome.Unreadable),
                    Seconds = Math.Round(seconds, 3),
                    ImagesPerSecond = Math.Round(worked / Math.Max(seconds, 1e-3), 1),
                    LeftOut = photos.LeftOut.Count,
                    IgnoredFiles = photos.IgnoredFiles,
                    Report = Path.Combine(output, AlignReport.FileName),
                    ContactSheet = sheet,
                },
                [.. details.Where(detail => now[detail.Key] is not null).Select(detail => new AlignEntry(photos.Names[detail.Key], now[detail.Key]!.Value, detail.Value))],
                [.. several.Select(entry => new AlignSeveral(photos.Names[entry.Key], entry.Value))],
                photos.LeftOut);
        }

        int Count(AlignOutcome outcome) => now.Count(o => o == outcome);
    }

    /// <summary>A sample of the faces, evenly drawn, and the first photos left out.</summary>
    private string? WriteSheet()
    {
        int[] good = [.. Enumerable.Range(0, outcomes.Length).Where(i => outcomes[i] is AlignOutcome.Aligned or AlignOutcome.Existing)];
        int[] bad = [.. Enumerable.Range(0, outcomes.Length).Where(i => outcomes[i] is AlignOutcome.NoFace or AlignOutcome.TooSmall)];
        int shown = Math.Min(good.Length, SheetFaces);
        List<RgbImage> faces = [.. Enumerable.Range(0, shown).Select(i => good[(int)((long)i * good.Length / shown)]).Select(i => Picture(() => File.ReadAllBytes(targets[i]), targets[i])).OfType<RgbImage>()];
        List<RgbImage> leftOut = [.. bad.Take(SheetLeftOut).Select(i => Picture(() => photos.Read(i), photos.Names[i])).OfType<RgbImage>()];
        if (faces.Count + leftOut.Count == 0)
        {
            return null;
        }

        string path = Path.Combine(output, FaceDatasets.ContactSheet);
        string heading = $"{Plural.Format(good.Length, "photo")} aligned{(shown < good.Length ? $"; {shown} of them, evenly drawn" : "")}  ({settings.Detector})";
        byte[] sheet = ContactSheet.Draw(heading, faces, $"{Plural.Format(bad.Length, "photo")} without a face that was taken{(bad.Length > leftOut.Count ? $"; the first {leftOut.Count}" : "")}", leftOut);
        AtomicFile.Write(path, stream => stream.Write(sheet));
        return path;
    }

    private RgbImage? Picture(Func<byte[]> read, string name)
    {
        try
        {
            return decoder.Decode(read(), name);
        }
        catch (UniFaceException)
        {
            return null;
        }
    }
}
