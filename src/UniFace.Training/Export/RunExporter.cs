using UniFace.Vision.Onnx;

namespace UniFace.Training.Export;

/// <summary>Exports a run as a model package: parity gate, calibration on the people that it was not trained on, and optionally int8 weights.</summary>
internal static class RunExporter
{
    private const double MaxInt8Loss = 0.003;

    /// <summary>Writes the package. If it is refused, the destination is unchanged.</summary>
    public static ExportResult Export(string run, string folder, ExportOptions options, CancellationToken cancellationToken)
    {
        if (options is { Int8: true, Calibration: not null })
        {
            throw new UniFaceException("a calibration of float weights does not apply to int8 weights; omit it, and their thresholds are measured.");
        }

        (Backbone backbone, RunInfo info) = RunFolder.LoadBackbone(run, options.Best);
        using Backbone owned = backbone;
        TrainingFingerprint trained = RunFolder.LoadFingerprint(run);
        ModelManifest manifest = info.Options.CreateManifest();
        options = options with { FlipSum = options.FlipSum || manifest.FlipSum };
        manifest = manifest with { FlipSum = options.FlipSum, Training = info.Provenance(), Licence = options.License };
        OverlapGate gate = new()
        {
            Model = run,
            Trained = trained,
            Allowed = options.AllowOverlap,
            Hint = options.OverlapHint,
            Warning = options.Warn,
            Progress = options.Progress,
            Cancellation = cancellationToken,
        };
        HeldOutCalibration heldOut = new(info, gate, options.FlipSum);
        using PackageDraft draft = new(backbone, manifest, folder, trained);
        using BackboneEmbedder embedder = new(backbone, options.FlipSum, ownsBackbone: false);
        return draft.Complete(
            options.Int8 ? Quantize(draft, folder, info, heldOut)
            : options.Calibration is Calibration given ? Check(given, info, gate)
            : heldOut.Measure(embedder)?.Calibration);
    }

    /// <summary>A given calibration, unless it was measured on training data: on this very set, or as it says itself.</summary>
    private static Calibration Check(Calibration given, RunInfo info, OverlapGate gate)
    {
        TrainingOverlap? known = given.Overlap
            ?? (given.Data.Sha256 == info.DataHash ? new TrainingOverlap(given.Data.Images, given.Data.People) : null);
        OverlapFound? found = known is null ? null : new OverlapFound(known.Images, known.People, info.Options.Data);
        return given with { Overlap = gate.Decide(given.Data.Name, found) };
    }

    /// <summary>Replaces the float weights of a package by int8 weights, if they keep its accuracy. Returns the calibration of these.</summary>
    private static Calibration? Quantize(PackageDraft draft, string folder, RunInfo info, HeldOutCalibration heldOut)
    {
        CrossValidatedAccuracy before = Accuracy(Measure());
        byte[] stored = Int8Weights.Quantize(File.ReadAllBytes(draft.OnnxPath), folder);
        File.WriteAllBytes(draft.OnnxPath, stored);
        draft.Manifest = draft.Manifest with { OnnxSha256 = Sha256.HashBytes(stored) };
        HeldOutCalibration.Measurement measured = Measure();
        CrossValidatedAccuracy after = Accuracy(measured);
        if (before.Mean - after.Mean > MaxInt8Loss)
        {
            throw new UniFaceException(FormattableString.Invariant(
                $"{folder}: not written: int8 weights bring accuracy from {before.Mean:P2} to {after.Mean:P2} on the people held out, a loss of ") +
                FormattableString.Invariant($"more than {100 * MaxInt8Loss} points; export float weights."));
        }

        draft.Manifest = draft.Manifest with
        {
            Quantization = new Quantization
            {
                Kind = "int8 weights, a scale per output channel",
                Data = $"people that the run did not train on ({info.Options.Validation ?? info.Options.Data})",
                Pairs = after.Folds.Sum(f => f.Pairs),
                AccuracyBefore = before.Mean,
                AccuracyAfter = after.Mean,
            },
        };
        return measured.Calibration;

        HeldOutCalibration.Measurement Measure()
        {
            using OnnxEmbedder embedder = OnnxEmbedder.Open(draft.OnnxPath, draft.Manifest);
            return heldOut.Measure(embedder) ?? throw new UniFaceException(
                "int8 weights are measured on people that the run did not train on, and there are none (or their images are gone): hold people out " +
                "when training, or export float weights.");
        }

        CrossValidatedAccuracy Accuracy(HeldOutCalibration.Measurement result) => result.Result.Accuracy ?? throw new UniFaceException(
            $"{folder}: not written: the people held out form too few pairs to measure the accuracy of int8 weights; export float weights.");
    }
}
