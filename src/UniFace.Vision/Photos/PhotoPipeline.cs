using UniFace.Vision.Detection;

namespace UniFace.Vision.Photos;

/// <summary>How photos become aligned faces.</summary>
public sealed record PhotoOptions
{
    /// <summary>The detector's .onnx file, YuNet or BlazeFace; null for the installed BlazeFace.</summary>
    public string? Detector { get; init; }

    /// <summary>How the detector works.</summary>
    public DetectorOptions Detection { get; init; } = new();

    /// <summary>Images are aligned faces of the model's size already; no detector is used.</summary>
    public bool Aligned { get; init; }

    /// <summary>Refuse a photo of which more than one face could be the main one.</summary>
    public bool Strict { get; init; }

    /// <summary>Ignore faces whose longer side is below this number of pixels.</summary>
    public float MinFaceSize { get; init; }

    /// <summary>Decodes the photos.</summary>
    public SkiaImageDecoder Decoder { get; init; } = new();
}

/// <summary>Opens the pipeline from photos to aligned faces.</summary>
public static class PhotoPipeline
{
    /// <summary>Opens a pipeline that gives faces of a size; the caller disposes it.</summary>
    /// <param name="options">How photos become faces.</param>
    /// <param name="size">Of the faces, in pixels.</param>
    /// <exception cref="UniFaceException">The detector cannot be opened, or there is no alignment to that size.</exception>
    public static FacePipeline Open(PhotoOptions options, (int Width, int Height) size)
    {
        ArgumentNullException.ThrowIfNull(options);
        AlignmentTemplate template = AlignmentTemplate.ArcFace(size.Width, size.Height);
        return options.Aligned
            ? FacePipeline.ForAligned(options.Decoder, template)
            : new FacePipeline(options.Decoder, FaceDetectors.Open(options.Detector, options.Detection), new FaceAligner(template))
            {
                Strict = options.Strict,
                MinFaceSize = options.MinFaceSize,
            };
    }
}
