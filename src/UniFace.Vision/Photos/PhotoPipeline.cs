using UniFace.Vision.Detection;

namespace UniFace.Vision.Photos;

/// <summary>How photos become aligned faces.</summary>
internal sealed record PhotoOptions
{
    /// <summary>The detector's .onnx file (YuNet or BlazeFace) or its installed name; null for the default.</summary>
    public string? Detector { get; init; }

    /// <summary>An open detector instead; disposed with the pipeline, or at once if the pipeline is not opened or needs none.</summary>
    public IFaceDetector? CustomDetector { get; init; }

    /// <summary>How the detector works.</summary>
    public DetectorOptions Detection { get; init; } = new();

    /// <summary>Images are aligned faces of the model's size already; no detector is used.</summary>
    public bool Aligned { get; init; }

    /// <summary>Refuse a photo of which more than one face could be the main one.</summary>
    public bool Strict { get; init; }

    /// <summary>Ignore faces whose longer side is below this number of pixels.</summary>
    public float MinFaceSize { get; init; }

    /// <summary>The check that the main face of a photo must pass; null for none. Disposed with the pipeline, or if it is not opened.</summary>
    public ILivenessCheck? Liveness { get; init; }

    /// <summary>Decodes the photos.</summary>
    public SkiaImageDecoder Decoder { get; init; } = new();

    /// <summary>Disposes the detector and the liveness check if no pipeline takes them.</summary>
    public void DisposeParts()
    {
        CustomDetector?.Dispose();
        (Liveness as IDisposable)?.Dispose();
    }
}

/// <summary>Opens the pipeline from photos to aligned faces.</summary>
internal static class PhotoPipeline
{
    /// <summary>Opens a pipeline that gives faces aligned to a template; the caller disposes it.</summary>
    /// <param name="options">How photos become faces.</param>
    /// <param name="template">Of a model (<see cref="Packages.ModelManifest.CreateTemplate"/>), or ArcFace's.</param>
    /// <exception cref="UniFaceException">The detector cannot be opened.</exception>
    public static FacePipeline Open(PhotoOptions options, AlignmentTemplate template)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (options.Aligned)
        {
            options.CustomDetector?.Dispose();
            return FacePipeline.ForAligned(options.Decoder, template, options.Liveness);
        }

        try
        {
            return new FacePipeline(
                options.Decoder, options.CustomDetector ?? FaceDetectors.Open(options.Detector, options.Detection), new CropAligner(template))
            {
                Strict = options.Strict,
                MinFaceSize = options.MinFaceSize,
                Liveness = options.Liveness,
            };
        }
        catch
        {
            options.DisposeParts();
            throw;
        }
    }
}
