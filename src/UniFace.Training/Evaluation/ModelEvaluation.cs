using UniFace.Data.Pairs;
using UniFace.Evaluation.Identification;
using UniFace.Evaluation.ThresholdCalibration;

namespace UniFace.Training.Evaluation;

/// <summary>Measures a model.</summary>
/// <param name="model">The model.</param>
/// <param name="gate">Refuses what the model was trained on, and receives progress.</param>
/// <param name="options">How pairs are scored, and how confidence intervals are computed.</param>
/// <param name="cancellationToken">Stops a measurement.</param>
internal sealed class ModelEvaluation(EvaluatedModel model, OverlapGate gate, ValidationOptions options, CancellationToken cancellationToken)
{
    /// <summary>Measures the pairs of a file (LFW's format or a list of paths) of images in a folder or tar.</summary>
    public EvaluationResult MeasurePairs(string pairsPath, string imagesPath, FacePipeline pipeline, bool aligned)
    {
        string pairsSha256 = Sha256.HashFile(pairsPath), name = Path.GetFileName(pairsPath);
        if (PathPairs.TryRead(pairsPath) is PathPairs paths)
        {
            using PhotoSet photos = PhotoSet.Open(imagesPath);
            PairSet listed = PairSet.FromPaths(name, paths, photos, absentIsMissing: aligned);
            StringBuilder read = new($"{pairsSha256}  {name}\n");
            TrainingOverlap? known = gate.Check(imagesPath, listed.Images.Select((image, i) =>
            {
                ReadOnlyMemory<byte> encoded = listed.Read(i) ?? ReadOnlyMemory<byte>.Empty;
                read.Append(CultureInfo.InvariantCulture, $"{Sha256.HashBytes(encoded.Span)}  {image}\n");
                return encoded;
            }));
            return Measure(listed, pipeline, Sha256.HashBytes(Encoding.UTF8.GetBytes(read.ToString())), known) with { PairsSha256 = pairsSha256 };
        }

        LfwPairs pairs = LfwPairs.Read(pairsPath);
        using FaceDataset images = FaceDatasets.Open(imagesPath);
        PairSet set = PairSet.FromLfw(name, pairs, images, absentIsMissing: aligned);
        HashSet<string> named = [.. set.Images];
        (string sha256, TrainingOverlap? overlap) = gate.Check(images, sample => named.Contains(sample.Name));
        return Measure(set, pipeline, sha256, overlap) with { PairsSha256 = pairsSha256 };
    }

    /// <summary>Measures an InsightFace .bin, whose images are aligned.</summary>
    public EvaluationResult MeasureBin(string path, FacePipeline aligned)
    {
        PairSet set = PairSet.FromBin(Path.GetFileName(path), PairBin.Read(path));
        TrainingOverlap? overlap = gate.Check(path, Enumerable.Range(0, set.Images.Count).Select(i => set.Read(i)!.Value));
        return Measure(set, aligned, Sha256.HashFile(path), overlap);
    }

    /// <summary>Measures all pairs of images of labeled people.</summary>
    public EvaluationResult MeasurePeople(string path, int? personLevel, FacePipeline pipeline)
    {
        using FaceDataset data = FaceDatasets.Open(path, personLevel);
        (string sha256, TrainingOverlap? overlap) = gate.Check(data);
        EmbeddedSet set = Embed(path, data, pipeline);
        ValidationResult result = Validator.Evaluate(set.Faces, [.. data.Samples.Select(s => s.Label)], options, cancellationToken);
        return new EvaluationResult(set, "all-pairs", result.Scores, result.Report, result.Accuracy, sha256, result.People, overlap);
    }

    /// <summary>Calibrates the model on the scores of a set.</summary>
    public Calibration Calibrate(EvaluationResult result)
    {
        CalibrationSource source = new(model.FlipSum, result.Set.Name, result.Sha256, result.People, result.Set.Images.Count);
        return Calibrate(result.Scores, source, null, result.Overlap);
    }

    /// <summary>Calibrates the model on labeled people, and checks the calibration.</summary>
    /// <param name="path">The people.</param>
    /// <param name="pipeline">Finds and aligns the faces.</param>
    /// <param name="rates">False match rates to find thresholds for.</param>
    /// <param name="shipped">An existing calibration to check, or null.</param>
    public CalibrationMeasurement Calibrate(string path, FacePipeline pipeline, IReadOnlyList<double> rates, Calibration? shipped)
    {
        using FaceDataset data = FaceDatasets.Open(path);
        (string sha256, TrainingOverlap? overlap) = gate.Check(data);
        EmbeddedSet set = Embed(path, data, pipeline);
        (EmbeddedFaces faces, int[] labels) = set.Faces.WithoutMissing([.. data.Samples.Select(s => s.Label)]);
        long[] sizes = [.. labels.CountBy(l => l).Select(person => (long)person.Value)];
        long same = sizes.Sum(n => n * (n - 1) / 2), different = ((long)labels.Length * (labels.Length - 1) / 2) - same;
        VerificationScores scores = PairScores.AllPairs(faces, labels, options.Pairs, cancellationToken);
        CalibrationSource source = new(model.FlipSum, set.Name, sha256, sizes.Length, data.Samples.Count);
        Calibration calibration = Calibrate(scores, source, rates, overlap);
        return new CalibrationMeasurement(
            calibration,
            CalibrationChecks.HoldOut(faces, labels, rates, options.Pairs, cancellationToken),
            shipped is not null && shipped.ContractId == calibration.ContractId ? CalibrationChecks.Compare(shipped, calibration, scores) : [],
            set.MissingImages.Count,
            scores.SamePairs < same,
            scores.DifferentPairs < different);
    }

    /// <summary>Measures 1:N identification. The sets must stay open while images are read from the result.</summary>
    /// <param name="enrolled">People to enroll.</param>
    /// <param name="probed">Probes; those of people who are not enrolled are non-mated.</param>
    /// <param name="strangers">More non-mated probes, or null.</param>
    /// <param name="pipeline">Finds and aligns the faces.</param>
    public IdentificationMeasurement Identify(FaceDataset enrolled, FaceDataset probed, FaceDataset? strangers, FacePipeline pipeline)
    {
        Dictionary<string, int> people = enrolled.People.Index().ToDictionary(person => person.Item, person => person.Index, StringComparer.Ordinal);
        if (strangers?.People.FirstOrDefault(people.ContainsKey) is string known)
        {
            throw new UniFaceException($"{strangers.Source}: {known} is enrolled in {enrolled.Source}; remove that person from the non-mated probes.");
        }

        FaceDataset[] probeSets = strangers is null ? [probed] : [probed, strangers];
        (string Sha256, TrainingOverlap? Overlap)[] read = [gate.Check(enrolled), .. probeSets.Select(set => gate.Check(set))];
        IdentificationMeasurement.Images gallery = Embed("gallery", [enrolled], people, pipeline), probes = Embed("probes", probeSets, people, pipeline);
        IdentificationReport report = IdentificationProtocol.Evaluate(
            gallery.Faces, gallery.People, probes.Faces, probes.People, cancellationToken: cancellationToken);
        TrainingOverlap[] found = [.. read.Select(set => set.Overlap).OfType<TrainingOverlap>()];
        TrainingOverlap? overlap = found.Length == 0 ? null : new TrainingOverlap(found.Sum(o => o.Images), found.Sum(o => o.People));
        return new IdentificationMeasurement(report, gallery, probes, enrolled.People, [.. read.Select(set => set.Sha256)], overlap);
    }

    private Calibration Calibrate(VerificationScores scores, CalibrationSource source, IReadOnlyList<double>? rates, TrainingOverlap? overlap)
    {
        Calibration measured = Calibrator.FromScores(scores, source, rates, options.Bootstrap, cancellationToken);
        return (model.Manifest is null ? measured : measured.For(model.Manifest)) with { Overlap = overlap };
    }

    private EvaluationResult Measure(PairSet pairs, FacePipeline pipeline, string sha256, TrainingOverlap? overlap)
    {
        EmbeddedSet set = Embed(pairs.Name, pairs.Images, pairs.Read, pipeline);
        VerificationScores scores = pairs.Score(set.Faces);
        VerificationReport report = VerificationReport.Create(scores, bootstrap: options.Bootstrap, cancellationToken: cancellationToken);
        int people = pairs.People?.Distinct().Count() ?? 0;
        return new EvaluationResult(set, "pairs", scores, report, report.Accuracy, sha256, people, overlap) { Pairs = pairs.Pairs };
    }

    private IdentificationMeasurement.Images Embed(string activity, FaceDataset[] sets, Dictionary<string, int> people, FacePipeline pipeline)
    {
        (FaceDataset Set, int Index)[] all = [.. sets.SelectMany(set => Enumerable.Range(0, set.Samples.Count).Select(i => (set, i)))];
        string[] names = [.. all.Select(a => a.Set.Samples[a.Index].Name)];
        int[] labels = [.. all.Select(a => people.GetValueOrDefault(a.Set.People[a.Set.Samples[a.Index].Label], -1))];
        return new IdentificationMeasurement.Images(names, Read, labels, Embed(activity, names, i => Read(i), pipeline).Faces);

        byte[] Read(int i) => all[i].Set.Read(all[i].Index);
    }

    private EmbeddedSet Embed(string path, FaceDataset data, FacePipeline pipeline) =>
        Embed(RealPath.GetName(path), [.. data.Samples.Select(s => s.Name)], i => data.Read(i), pipeline);

    private EmbeddedSet Embed(string name, IReadOnlyList<string> images, Func<int, ReadOnlyMemory<byte>?> read, FacePipeline pipeline)
    {
        Stopwatch clock = Stopwatch.StartNew();
        EmbeddedFaces faces = BatchEmbedding.Embed(
            model.Embedder,
            images.Count,
            i => read(i) is ReadOnlyMemory<byte> encoded ? pipeline.Align(encoded, images[i])?.Image : null,
            options.BatchSize,
            count => gate.Progress?.Invoke(name, count, images.Count),
            cancellationToken);
        return new EmbeddedSet(name, images, faces, pipeline.DetectorName, clock.Elapsed.TotalSeconds);
    }
}
