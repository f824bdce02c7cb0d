using UniFace.Vision.Photos;

namespace UniFace.Vision;

/// <summary>File format of aligned faces.</summary>
public enum CropFormat
{
    /// <summary>JPEG of quality 97 with full color resolution.</summary>
    Jpg,

    /// <summary>PNG, lossless.</summary>
    Png,
}

/// <summary>How <see cref="FaceAligner"/> turns photos into aligned faces.</summary>
public sealed record AlignOptions
{
    /// <summary>Face detector: the path of an .onnx file of YuNet or BlazeFace, or the name of an installed one. Null for the default one.</summary>
    public string? Detector
    {
        get => Photos.Detector;
        init => Photos = Photos with { Detector = value };
    }

    /// <summary>A face detector of your own, instead of <see cref="Detector"/>. <see cref="FaceAligner"/> disposes it, so it aligns one folder.</summary>
    public IFaceDetector? CustomDetector
    {
        get => Photos.CustomDetector;
        init => Photos = Photos with { CustomDetector = value };
    }

    /// <summary>Faces whose longer side is below this number of pixels are ignored.</summary>
    public float MinFaceSize
    {
        get => Photos.MinFaceSize;
        init => Photos = Photos with { MinFaceSize = value };
    }

    /// <summary>True: a photo is left out if more than one face could be its main face.</summary>
    public bool Strict
    {
        get => Photos.Strict;
        init => Photos = Photos with { Strict = value };
    }

    /// <summary>True: every face of a photo is taken. False: its main face.</summary>
    public bool AllFaces
    {
        get => Faces == FaceChoice.All;
        init => Faces = value ? FaceChoice.All : FaceChoice.Largest;
    }

    /// <summary>The detector, the decoder and the limits of a face.</summary>
    internal PhotoOptions Photos { get; init; } = new();

    /// <summary>Side of a face in pixels; a multiple of 112 or 128. Not used with a <see cref="Template"/>.</summary>
    public int Size { get; init; } = 112;

    /// <summary>The template of a model, with its own size; null for ArcFace's at <see cref="Size"/>.</summary>
    internal AlignmentTemplate? Template { get; init; }

    /// <summary>The faces of a photo to take.</summary>
    internal FaceChoice Faces { get; init; }

    /// <summary>The file format.</summary>
    public CropFormat Format { get; init; }

    /// <summary>Write existing faces again; otherwise a stopped run continues.</summary>
    public bool Overwrite { get; init; }

    /// <summary>Photos to process at once.</summary>
    public int Threads { get; init; } = Environment.ProcessorCount;
}
