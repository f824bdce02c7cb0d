using System.CommandLine;
using System.Globalization;
using UniFace.Faces;
using UniFace.Packages;
using UniFace.Vision;
using UniFace.Vision.Detection;
using UniFace.Vision.Photos;

namespace UniFace.Cli.Commands;

/// <summary>
/// The options for turning photos into aligned faces and for running a model.
/// One object per command: <c>VisionOptions vision = new(); vision.AddDetection(command); vision.AddModel(command);</c>
/// </summary>
internal sealed class VisionOptions
{
    /// <summary>--detector FILE.</summary>
    public Option<string?> Detector { get; } = new("--detector") { Description = "Face detector: an .onnx file of YuNet or BlazeFace. Without it, BlazeFace as setup installs it.", HelpName = "FILE" };

    /// <summary>--aligned.</summary>
    public Option<bool> Aligned { get; } = new("--aligned") { Description = "The pictures are aligned faces of the model's size already (112x112): take them as they are." };

    /// <summary>--normalize MEAN,STD.</summary>
    public Option<string?> Normalize { get; } = new("--normalize") { Description = "For a bare .onnx file: (pixel - MEAN) / STD goes in, pixels being 0 to 255. InsightFace's 127.5,127.5 by default.", HelpName = "MEAN,STD" };

    /// <summary>--color rgb|bgr.</summary>
    public Option<ColorOrder?> Color { get; } = new("--color") { Description = "For a bare .onnx file: order of its colour planes. rgb by default.", HelpName = "rgb|bgr" };

    /// <summary>--output NAME.</summary>
    public Option<string?> ModelOutput { get; } = new("--output")
    {
        Description = "For a bare .onnx file: the output that is the embedding, if its shapes and names leave a doubt.",
        HelpName = "NAME",
    };

    /// <summary>--strict.</summary>
    public Option<bool> Strict { get; } = new("--strict")
    {
        Description = "Refuse a photo if more than one of its faces is large enough to be the one that is meant.",
    };

    /// <summary>--threads N.</summary>
    public Option<int> Threads { get; } = new("--threads") { Description = "Cores to use; 0 for all.", HelpName = "N" };

    /// <summary>Adds --detector and --threads, and --aligned where aligned faces may be given instead of photos.</summary>
    public void AddDetection(Command command, bool orAligned = true)
    {
        command.Add(Detector);
        if (orAligned)
        {
            command.Add(Aligned);
        }

        command.Add(Threads);
    }

    /// <summary>Adds --normalize, --color and --output.</summary>
    public void AddModel(Command command)
    {
        command.Add(Normalize);
        command.Add(Color);
        command.Add(ModelOutput);
    }

    /// <summary>Threads to use, 1 or more.</summary>
    public int ThreadCount(ParseResult parsed)
    {
        int threads = parsed.GetValue(Threads);
        return threads switch
        {
            0 => Environment.ProcessorCount,
            > 0 and <= 1024 => threads,
            _ => throw new UniFaceException($"--threads {threads}: expected 1 to 1024, or 0 for all cores."),
        };
    }

    /// <summary>Opens a model; the caller disposes it.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="model">A package folder, the name of an installed model, or an .onnx file; null for the installed default.</param>
    /// <param name="flipSum">Overrides the package's flip-sum; null to keep it.</param>
    /// <param name="detectorThreads">Threads inside one detection: more than 1 only if photos are processed one by one.</param>
    public FaceRecognizer Open(ParseResult parsed, string? model, bool? flipSum = null, int detectorThreads = 1) =>
        FaceRecognizer.Open(model, new RecognizerOptions
        {
            Normalization = Normalization(parsed.GetValue(Normalize)),
            ColorOrder = parsed.GetValue(Color),
            Output = parsed.GetValue(ModelOutput),
            FlipSum = flipSum,
            Threads = ThreadCount(parsed),
            Photos = Photos(parsed, detectorThreads),
        });

    /// <summary>How photos become aligned faces: by the detector, or unchanged with --aligned.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="detectorThreads">Threads inside one detection.</param>
    public PhotoOptions Photos(ParseResult parsed, int detectorThreads = 1) => parsed.GetValue(Aligned) && parsed.GetValue(Detector) is not null
        ? throw new UniFaceException("--detector and --aligned were both given: aligned faces need no detector; leave one out.")
        : new PhotoOptions
        {
            Detector = parsed.GetValue(Detector),
            Detection = new DetectorOptions { Threads = detectorThreads },
            Aligned = parsed.GetValue(Aligned),
            Strict = parsed.GetValue(Strict),
        };

    /// <summary>Opens the pipeline from photos to faces of a size; the caller disposes it.</summary>
    public FacePipeline OpenPipeline(ParseResult parsed, (int Width, int Height) size) => PhotoPipeline.Open(Photos(parsed), size);

    private static PixelNormalization? Normalization(string? text)
    {
        if (text is null)
        {
            return null;
        }

        string[] parts = text.Split(',');
        return parts.Length == 2
            && float.TryParse(parts[0], NumberStyles.Float, CultureInfo.InvariantCulture, out float mean) && float.IsFinite(mean)
            && float.TryParse(parts[1], NumberStyles.Float, CultureInfo.InvariantCulture, out float deviation) && float.IsFinite(deviation) && deviation > 0
            ? new PixelNormalization(mean, deviation)
            : throw new UniFaceException($"--normalize {text}: expected MEAN,STD with STD above 0, e.g. 127.5,127.5.");
    }
}
