using UniFace.Faces;
using UniFace.Packages;
using UniFace.Vision;
using UniFace.Vision.Detection;
using UniFace.Vision.Onnx;

namespace UniFace.AspNetCore.Recognition;

/// <summary>The model of a service, with decoder, detector and calibration. Thread-safe; owns what it holds.</summary>
internal sealed class ServedModel : IDisposable
{
    private ServedModel(ModelPackage package, OnnxEmbedder embedder, SkiaImageDecoder decoder, FacePipeline photos, Calibration? calibration)
    {
        Package = package;
        Embedder = embedder;
        Decoder = decoder;
        Photos = photos;
        Calibration = calibration;
    }

    /// <summary>The package.</summary>
    public ModelPackage Package { get; }

    /// <summary>Aligned faces to embeddings.</summary>
    public OnnxEmbedder Embedder { get; }

    /// <summary>Photos to aligned faces.</summary>
    public FacePipeline Photos { get; }

    /// <summary>Files to pictures, up to the service's pixel limit.</summary>
    public SkiaImageDecoder Decoder { get; }

    /// <summary>Thresholds by false match rate; null if the package has no calibration.</summary>
    public Calibration? Calibration { get; }

    /// <summary>Only embeddings of the same contract may be compared.</summary>
    public string ContractId => Embedder.Manifest.ContractId;

    /// <summary>Opens the model that the options name, otherwise the installed default.</summary>
    /// <returns>Null if none is named or installed.</returns>
    /// <exception cref="UniFaceException">The model, its calibration or the detector cannot be opened.</exception>
    internal static ServedModel? Open(ServerOptions options)
    {
        if ((options.Package ?? InstalledModels.Default()) is not string path)
        {
            return null;
        }

        ModelPackage package = ModelPackage.Open(path);
        OnnxEmbedder embedder = Embedders.Open(package);
        try
        {
            Calibration? calibration = package.LoadCalibration(embedder.Manifest);
            AlignmentTemplate template = AlignmentTemplate.ArcFace(embedder.InputSize.Width, embedder.InputSize.Height);
            SkiaImageDecoder decoder = new() { MaxPixels = options.MaxPixels, ReadsHeif = false };
            FacePipeline photos = new(decoder, FaceDetectors.Open(options.Detector), new FaceAligner(template));
            return new ServedModel(package, embedder, decoder, photos, calibration);
        }
        catch
        {
            embedder.Dispose();
            throw;
        }
    }

    /// <summary>Takes a picture as an aligned face.</summary>
    /// <param name="picture">The picture.</param>
    /// <param name="name">Names it in the error.</param>
    /// <exception cref="UniFaceException">It does not have the model's size.</exception>
    public AlignedFace AsAligned(RgbImage picture, string name)
    {
        ArgumentNullException.ThrowIfNull(picture);
        return (picture.Width, picture.Height) == Embedder.InputSize
            ? new AlignedFace(picture, null, SimilarityTransform.Identity)
            : throw new UniFaceException(
                $"{name}: {picture.Width}x{picture.Height} pixels, expected an aligned face of {Embedder.InputSize.Width}x{Embedder.InputSize.Height}; " +
                "leave out aligned for raw photos");
    }

    /// <summary>Frees the model and the detector.</summary>
    public void Dispose()
    {
        Embedder.Dispose();
        Photos.Dispose();
    }
}
