using System.CommandLine;
using System.Globalization;
using UniFace.Cli.Terminal;
using UniFace.Faces;
using UniFace.Packages;
using UniFace.Vision;
using UniFace.Vision.Detection;
using UniFace.Vision.Onnx;

namespace UniFace.Cli.Photos;

/// <summary>How photos become aligned faces and how a model runs, as options that commands share.</summary>
internal sealed class VisionOptions
{
    private readonly CliOption<string?> normalize = new(
        "--normalize", "For an .onnx file: its input is (pixel - MEAN) / STD with pixels from 0 to 255. Default: 127.5,127.5, as InsightFace.", "MEAN,STD");

    private readonly CliOption<ColorOrder?> color = new("--color", "For an .onnx file: the order of its color planes. Default: rgb.", "rgb|bgr");

    private readonly CliOption<string?> modelOutput = new(
        "--output", "For an .onnx file: the output with the embedding, if shapes and names leave it open.", "NAME");

    /// <summary>--detector FILE.</summary>
    public CliOption<string?> Detector { get; } = new(
        "--detector", "Face detector: an .onnx file of YuNet or BlazeFace. Default: BlazeFace as installed by setup.", "FILE");

    /// <summary>--aligned.</summary>
    public CliOption<bool> Aligned { get; } = new("--aligned", "The images are already aligned faces of the model's input size (112x112); use them unchanged.");

    /// <summary>--strict.</summary>
    public CliOption<bool> Strict { get; } = new("--strict", "Refuse a photo if more than one face could be its main face.");

    /// <summary>--threads N.</summary>
    public CliOption<int> Threads { get; } = new("--threads", "Number of threads; 0 for all cores.") { Range = (0, 1024) };

    /// <summary>--detector, --aligned and --threads.</summary>
    public IEnumerable<Symbol> Detection => [Detector, Aligned, Threads];

    /// <summary>--normalize, --color and --output.</summary>
    public IEnumerable<Symbol> Model => [normalize, color, modelOutput];

    /// <summary>The number of threads, at least 1.</summary>
    public int ThreadCount(ParseResult parsed) => parsed.GetValue(Threads) is int threads and > 0 ? threads : Environment.ProcessorCount;

    /// <summary>True if an option is given that says how pixels enter a model.</summary>
    public bool SaysHowPixelsEnter(ParseResult parsed) => parsed.GetValue(normalize) is not null || parsed.GetValue(color) is not null;

    /// <summary>Opens a package or an .onnx file.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="package">The package.</param>
    /// <param name="flipSum">Overrides the package's setting unless null.</param>
    public OnnxEmbedder OpenEmbedder(ParseResult parsed, ModelPackage package, bool? flipSum = null) => Embedders.Open(package, new EmbedderOptions
    {
        Normalization = ParseNormalization(parsed.GetValue(normalize)),
        ColorOrder = parsed.GetValue(color),
        Output = parsed.GetValue(modelOutput),
        FlipSum = flipSum,
        Threads = ThreadCount(parsed),
    });

    /// <summary>Opens the pipeline from photos to aligned faces. The caller disposes it.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="size">The faces' size.</param>
    /// <param name="detectorThreads">Threads per detection: more than 1 only if photos are processed one at a time.</param>
    public FacePipeline OpenPipeline(ParseResult parsed, (int Width, int Height) size, int detectorThreads = 1)
    {
        parsed.Exclude(Detector, Aligned, "aligned faces need no detector");
        AlignmentTemplate template = AlignmentTemplate.ArcFace(size.Width, size.Height);
        SkiaImageDecoder decoder = new();
        if (parsed.GetValue(Aligned))
        {
            return FacePipeline.ForAligned(decoder, template);
        }

        IFaceDetector detector = FaceDetectors.Open(parsed.GetValue(Detector), new DetectorOptions { Threads = detectorThreads });
        return new FacePipeline(decoder, detector, new FaceAligner(template)) { Strict = parsed.GetValue(Strict) };
    }

    private static PixelNormalization? ParseNormalization(string? text)
    {
        if (text is null)
        {
            return null;
        }

        float[] parts =
        [
            .. text.Split(',').Select(part =>
                float.TryParse(part, NumberStyles.Float, CultureInfo.InvariantCulture, out float number) && float.IsFinite(number) ? number : float.NaN),
        ];
        return parts is [float mean, float deviation] && !float.IsNaN(mean) && deviation > 0
            ? new PixelNormalization(mean, deviation)
            : throw new UniFaceException($"--normalize {text}: expected MEAN,STD with STD above 0, e.g. 127.5,127.5.");
    }
}
