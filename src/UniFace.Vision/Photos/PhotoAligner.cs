using UniFace.Data;

namespace UniFace.Vision.Photos;

/// <summary>
/// Writes the aligned faces of many photos, with a report and a contact sheet. Each face is written atomically as soon as it is found, so a
/// run that is stopped or killed can continue. Memory does not grow with the number of photos.
/// </summary>
internal sealed class PhotoAligner
{
    private const int SheetFaces = 216;
    private const int SheetLeftOut = 36;

    private readonly PhotoSet photos;
    private readonly string output;
    private readonly AlignOptions options;
    private readonly FacePipeline pipeline;
    private readonly AlignSettings settings;
    private readonly string[] targets;
    private readonly Result?[] results;

    private PhotoAligner(PhotoSet photos, string output, AlignOptions options, FacePipeline pipeline)
    {
        this.photos = photos;
        this.output = output;
        this.options = options;
        this.pipeline = pipeline;
        AlignmentTemplate template = pipeline.Aligner.Template;
        settings = new(
            pipeline.DetectorName, template.Width, options.Faces, options.Format, options.Photos.Detection.MinScore, options.Photos.MinFaceSize,
            AlignmentTemplate.IsArcFace(template.Name) ? null : template);
        if (File.Exists(output))
        {
            throw new UniFaceException($"{output} is a file; expected a folder for the aligned faces.");
        }

        if (!options.Overwrite && AlignReport.ReadSettings(ReportPath) is AlignSettings earlier && earlier != settings)
        {
            throw new UniFaceException(
                $"{output} holds faces aligned with other settings ({earlier.Detector}, size {earlier.Size}, ...; see {AlignReport.FileName}); " +
                "name another folder, or overwrite them.");
        }

        photos.RequireApart(output);
        targets = Targets();
        results = new Result?[targets.Length];
    }

    private sealed record Result(AlignOutcome Outcome, int Written = 0, int FacesInPhoto = 0, string? Detail = null);

    private string ReportPath => Path.Combine(output, AlignReport.FileName);

    private string Extension => options.Format == CropFormat.Png ? ".png" : ".jpg";

    /// <summary>Aligns all photos. If it is stopped, the report says so and all files are whole.</summary>
    /// <param name="photos">The photos.</param>
    /// <param name="output">The folder to write.</param>
    /// <param name="options">How photos become aligned faces.</param>
    /// <param name="done">Called after each photo, on any thread.</param>
    /// <param name="cancellationToken">Stops between photos.</param>
    /// <exception cref="UniFaceException">The folder cannot be written, overlaps the photos, or holds faces of other settings.</exception>
    public static AlignReport Align(PhotoSet photos, string output, AlignOptions options, Action? done = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(photos);
        ArgumentNullException.ThrowIfNull(options);
        using FacePipeline pipeline = PhotoPipeline.Open(options.Photos, options.Template ?? AlignmentTemplate.ArcFace(options.Size, options.Size));
        return new PhotoAligner(photos, output, options, pipeline).Run(done, cancellationToken);
    }

    private AlignReport Run(Action? done, CancellationToken cancellationToken)
    {
        Stopwatch clock = Stopwatch.StartNew();
        Report(clock, complete: false).Save();
        bool complete = true;
        try
        {
            ParallelLoop.Run(
                results.Length,
                i =>
                {
                    results[i] = AlignOne(i);
                    done?.Invoke();
                },
                options.Threads,
                cancellationToken);
        }
        catch (OperationCanceledException)
        {
            complete = false;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or UniFaceException)
        {
            // A photo that cannot be read is an outcome; this error is about the output folder.
            throw new UniFaceException($"{output}: {e.Message}", e);
        }

        clock.Stop();
        AlignReport report = Report(clock, complete, complete ? WriteSheet() : null);
        report.Save();
        return report;
    }

    private Result AlignOne(int index)
    {
        if (!options.Overwrite && File.Exists(targets[index]))
        {
            return new(AlignOutcome.Existing);
        }

        FaceSearch found;
        byte[] photo;
        try
        {
            photo = photos.Read(index);
            found = pipeline.Search(options.Photos.Decoder.OpenPhoto(photo, photos.Names[index]), options.Faces);
        }
        catch (UniFaceException e)
        {
            return new(AlignOutcome.Unreadable, Detail: e.Message);
        }

        int inPhoto = found.Found - found.Unsure;
        if (found.Faces.Count == 0)
        {
            string small = FormattableString.Invariant($"{Plural.Format(found.TooSmall, "face")}, none with a side of {settings.MinFace} pixels");
            return found.TooSmall > 0
                ? new(AlignOutcome.TooSmall, 0, inPhoto, small)
                : new(AlignOutcome.NoFace, 0, inPhoto, "the detector found no face");
        }

        if (pipeline.Strict && options.Faces == FaceChoice.Largest && found.Faces[0].Ambiguous)
        {
            return new(AlignOutcome.Ambiguous, 0, inPhoto, FacePipeline.DescribeAmbiguity(found.Faces[0]));
        }

        string source = CropSource.Read(photo) ?? Sha256.HashBytes(photo); // A crop of a crop has the first photo as its source.

        // The main face is written last: its file marks the photo as done.
        for (int f = found.Faces.Count - 1; f >= 0; f--)
        {
            string target = f == 0 ? targets[index] : Path.ChangeExtension(targets[index], FormattableString.Invariant($".face{f + 1}{Extension}"));
            byte[] bytes = options.Format == CropFormat.Png ? ImageEncoder.Png(found.Faces[f].Image) : ImageEncoder.Jpeg(found.Faces[f].Image);
            AtomicFile.Write(target, stream => stream.Write(CropSource.Write(bytes, source)));
        }

        return new(AlignOutcome.Aligned, found.Faces.Count, inPhoto);
    }

    /// <summary>The file of each photo's main face: its own path with the crop's extension, never outside the folder, never twice the same.</summary>
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
                : throw new UniFaceException(
                    $"{photos.Source}: the image '{name}' would be written outside of {output}; the names in it are not to be trusted.");
        }

        if (result is [string only] && RealPath.AreSame(RealPath.Resolve(only), RealPath.Resolve(photos.Source)))
        {
            throw new UniFaceException($"{only} would replace {photos.Source}, which is to be read; name another folder.");
        }

        // A folder in the output may be a link.
        photos.RequireApart(result.Select(target => Path.GetDirectoryName(target)!).Distinct().Where(Directory.Exists));
        return result;
    }

    private AlignReport Report(Stopwatch clock, bool complete, string? sheet = null)
    {
        double seconds = clock.Elapsed.TotalSeconds;
        (string Photo, Result Result)[] now = [.. photos.Names.Zip(results).Where(pair => pair.Second is not null).Select(pair => (pair.First, pair.Second!))];
        AlignSeveral[] several = [.. now.Where(p => p.Result.FacesInPhoto > 1).Select(p => new AlignSeveral(p.Photo, p.Result.FacesInPhoto))];
        return new AlignReport(
            new AlignSummary(
                Source: photos.Source,
                Out: output,
                Settings: settings,
                Complete: complete,
                Photos: results.Length,
                Aligned: Count(AlignOutcome.Aligned),
                Faces: now.Sum(p => p.Result.Written),
                Existing: Count(AlignOutcome.Existing),
                SeveralFaces: several.Length,
                Ambiguous: Count(AlignOutcome.Ambiguous),
                NoFace: Count(AlignOutcome.NoFace),
                TooSmall: Count(AlignOutcome.TooSmall),
                Unreadable: Count(AlignOutcome.Unreadable),
                Seconds: Math.Round(seconds, 3),
                ImagesPerSecond: Math.Round((now.Length - Count(AlignOutcome.Existing)) / Math.Max(seconds, 1e-3), 1),
                LeftOut: photos.Skipped.Count,
                IgnoredFiles: photos.IgnoredFiles,
                Report: ReportPath,
                ContactSheet: sheet),
            [.. now.Where(p => p.Result.Detail is not null).Select(p => new AlignEntry(p.Photo, p.Result.Outcome, p.Result.Detail!))],
            several,
            photos.Skipped);

        int Count(AlignOutcome outcome) => now.Count(p => p.Result.Outcome == outcome);
    }

    /// <summary>Draws an even sample of the faces, and the first photos without one.</summary>
    private string? WriteSheet()
    {
        int[] good = Indices(AlignOutcome.Aligned, AlignOutcome.Existing), bad = Indices(AlignOutcome.NoFace, AlignOutcome.TooSmall);
        int shown = Math.Min(good.Length, SheetFaces);
        IEnumerable<int> sample = Enumerable.Range(0, shown).Select(i => good[(int)((long)i * good.Length / shown)]);
        List<RgbImage> faces = [.. sample.Select(i => TryDecode(() => File.ReadAllBytes(targets[i]), targets[i])).OfType<RgbImage>()];
        List<RgbImage> leftOut = [.. bad.Take(SheetLeftOut).Select(i => TryDecode(() => photos.Read(i), photos.Names[i])).OfType<RgbImage>()];
        if (faces.Count + leftOut.Count == 0)
        {
            return null;
        }

        string path = Path.Combine(output, FaceDatasets.ContactSheet);
        string drawn = shown < good.Length ? $"; {shown} of them, evenly drawn" : "";
        string heading = $"{Plural.Format(good.Length, "photo")} aligned{drawn}  ({settings.Detector})";
        string leftHeading = $"{Plural.Format(bad.Length, "photo")} without a usable face{(bad.Length > leftOut.Count ? $"; the first {leftOut.Count}" : "")}";
        byte[] sheet = ContactSheet.Draw(heading, faces, leftHeading, leftOut);
        AtomicFile.Write(path, stream => stream.Write(sheet));
        return path;

        int[] Indices(params AlignOutcome[] outcomes) =>
            [.. Enumerable.Range(0, results.Length).Where(i => results[i] is Result result && outcomes.Contains(result.Outcome))];
    }

    private RgbImage? TryDecode(Func<byte[]> read, string name)
    {
        try
        {
            return options.Photos.Decoder.Decode(read(), name);
        }
        catch (UniFaceException)
        {
            return null;
        }
    }
}
