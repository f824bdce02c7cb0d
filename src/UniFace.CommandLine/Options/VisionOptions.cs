using UniFace.Vision.Detection;
using UniFace.Vision.Liveness;

namespace UniFace.CommandLine.Options;

/// <summary>How photos become aligned faces and how a model runs, as options that commands share.</summary>
internal sealed class VisionOptions
{
    private readonly CliOption<string?> normalize = new(
        "--normalize", "For an .onnx file: its input is (pixel - MEAN) / STD with pixels from 0 to 255. Default: 127.5,127.5, as InsightFace.", "MEAN,STD");

    private readonly CliOption<ColorOrder?> color = new("--color", "For an .onnx file: the order of its color planes. Default: rgb.");

    private readonly CliOption<string?> modelOutput = new(
        "--output", "For an .onnx file: the output with the embedding, if shapes and names leave it open.", "NAME");

    /// <summary>PACKAGE.</summary>
    public Argument<string> Package { get; } = new("PACKAGE")
    {
        Description = "A model package (folder, or name from 'uniface models list') or an .onnx file.",
    };

    /// <summary>--detector FILE.</summary>
    public CliOption<string?> Detector { get; } = new(
        "--detector",
        "Face detector: an .onnx file of YuNet or BlazeFace, 'blazeface', or a name from 'uniface models add'. Default: MediaPipe's, as installed by setup.",
        "FILE|NAME");

    /// <summary>--aligned.</summary>
    public CliOption<bool> Aligned { get; } = new("--aligned", "The images are already aligned faces of the model's template and size; use them unchanged.");

    /// <summary>--strict.</summary>
    public CliOption<bool> Strict { get; } = new("--strict", "Refuse a photo if more than one face could be its main face.");

    /// <summary>--liveness FILE.</summary>
    public CliOption<string?> Liveness { get; } = new(
        "--liveness",
        "Refuse a photo whose main face does not pass this liveness model: a JSON file with onnxFile and threshold (docs/security.md).",
        "FILE");

    /// <summary>--threads N.</summary>
    public CliOption<int> Threads { get; } = new("--threads", "Number of threads; 0 for all cores.") { Range = (0, 1024) };

    /// <summary>--detector, --aligned and --threads.</summary>
    public IEnumerable<Symbol> Detection => [Detector, Aligned, Threads];

    /// <summary>--normalize, --color and --output.</summary>
    public IEnumerable<Symbol> Model => [normalize, color, modelOutput];

    /// <summary>The number of threads, at least 1.</summary>
    public int ThreadCount(ParseResult parsed) => parsed.GetValue(Threads) is int threads and > 0 ? threads : Environment.ProcessorCount;

    /// <summary>True if an option is given that says how pixels enter a model.</summary>
    public bool HasInputOptions(ParseResult parsed) => parsed.GetValue(normalize) is not null || parsed.GetValue(color) is not null;

    /// <summary>Opens <see cref="Package"/>. The caller disposes it.</summary>
    public FaceRecognizer Open(ParseResult parsed) => Open(parsed, parsed.GetRequiredValue(Package));

    /// <summary>Opens a model. The caller disposes it.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="model">A package folder, the name of an installed model, or an .onnx file; null for the installed default.</param>
    /// <param name="flipSum">Overrides the package's setting unless null.</param>
    /// <param name="detectorThreads">Threads per detection: more than 1 only if photos are processed one at a time.</param>
    public FaceRecognizer Open(ParseResult parsed, string? model, bool? flipSum = null, int detectorThreads = 1) =>
        FaceRecognizer.Open(model, new FaceRecognizerOptions
        {
            Normalization = ParseNormalization(parsed.GetValue(normalize)),
            ColorOrder = parsed.GetValue(color),
            Output = parsed.GetValue(modelOutput),
            FlipSum = flipSum,
            Threads = ThreadCount(parsed),
            Photos = Photos(parsed, detectorThreads),
        });

    /// <summary>How photos become aligned faces: by the detector, or unchanged with --aligned.</summary>
    public PhotoOptions Photos(ParseResult parsed, int detectorThreads = 1)
    {
        parsed.Exclude(Detector, Aligned, "aligned faces need no detector");
        return new PhotoOptions
        {
            Detector = parsed.GetValue(Detector),
            Detection = new DetectorOptions { Threads = detectorThreads },
            Aligned = parsed.GetValue(Aligned),
            Strict = parsed.GetValue(Strict),
            Liveness = parsed.GetValue(Liveness) is string model ? OnnxLivenessCheck.Open(model) : null,
        };
    }

    /// <summary>Opens the pipeline from photos to faces aligned to a template. The caller disposes it.</summary>
    public FacePipeline OpenPipeline(ParseResult parsed, AlignmentTemplate template) => PhotoPipeline.Open(Photos(parsed), template);

    /// <summary>Prints below a decision what its model is good for, if the package says so.</summary>
    public static void NoteSuitability(ModelManifest manifest)
    {
        if (manifest.Suitability is string suitability)
        {
            Console.WriteLine($"the model is {suitability}");
        }
    }

    /// <summary>Reads photos in chunks, with progress on standard error.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="what">The operation, for the progress.</param>
    /// <param name="photos">The photos.</param>
    /// <param name="pipeline">From photos to faces.</param>
    /// <param name="stop">Stops between photos.</param>
    /// <param name="choice">The faces of a photo to take.</param>
    public IEnumerable<PhotoFaces[]> ReadFaces(
        ParseResult parsed, string what, PhotoSet photos, FacePipeline pipeline, CancellationToken stop, FaceChoice choice = FaceChoice.Largest)
    {
        using ProgressMeter progress = new(what, photos.Names.Count);
        foreach (PhotoFaces[] chunk in PhotoFaces.ReadAll(photos, pipeline, ThreadCount(parsed), choice, stop))
        {
            yield return chunk;
            progress.Add(chunk.Length);
        }
    }

    private static PixelNormalization? ParseNormalization(string? text)
    {
        return text is null ? null
            : text.Split(',') is [string first, string second] && Parse(first, out float mean) && Parse(second, out float deviation) && deviation > 0
            ? new PixelNormalization(mean, deviation)
            : throw new UniFaceException($"--normalize {text}: expected MEAN,STD with STD above 0, e.g. 127.5,127.5.");

        static bool Parse(string part, out float number) =>
            float.TryParse(part, NumberStyles.Float, CultureInfo.InvariantCulture, out number) && float.IsFinite(number);
    }
}
