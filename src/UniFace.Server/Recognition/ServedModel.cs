using UniFace.Faces;
using UniFace.Packages;
using UniFace.Vision.Detection;
using UniFace.Vision.Imaging;
using UniFace.Vision.Onnx;

namespace UniFace.Server.Recognition;

/// <summary>The model that a service runs, with all that brings a photo to it. Thread-safe; owns what it holds.</summary>
public sealed class ServedModel : IDisposable
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

    /// <summary>Files to pictures, within the service's limit of pixels.</summary>
    public SkiaImageDecoder Decoder { get; }

    /// <summary>Which threshold gives which false match rate; null where the package does not say it.</summary>
    public Calibration? Calibration { get; }

    /// <summary>Only embeddings of one contract may be compared.</summary>
    public string ContractId => Embedder.Manifest.ContractId;

    /// <summary>Opens the model that the options name, else the installed default, else the demo's.</summary>
    /// <returns>Null where none is named, installed or made by the demo.</returns>
    /// <exception cref="UniFaceException">It, its calibration or the detector cannot be opened.</exception>
    internal static ServedModel? Open(ServerOptions options)
    {
        if ((options.Package ?? InstalledModels.Default() ?? DemoPackage()) is not string path)
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
            return new ServedModel(package, embedder, decoder, new FacePipeline(decoder, FaceDetectors.Open(options.Detector), new FaceAligner(template)), calibration);
        }
        catch
        {
            embedder.Dispose();
            throw;
        }
    }

    /// <summary>A picture that was given as an aligned face.</summary>
    /// <param name="picture">The picture.</param>
    /// <param name="name">What to call it in the error.</param>
    /// <exception cref="UniFaceException">It is not of the model's size.</exception>
    public AlignedFace AsAligned(RgbImage picture, string name)
    {
        ArgumentNullException.ThrowIfNull(picture);
        return (picture.Width, picture.Height) == Embedder.InputSize
            ? new AlignedFace(picture, null, SimilarityTransform.Identity)
            : throw new UniFaceException($"{name}: {picture.Width}x{picture.Height} pixels, expected an aligned face of {Embedder.InputSize.Width}x{Embedder.InputSize.Height}; leave out aligned for raw photos");
    }

    /// <summary>Frees the model and the detector.</summary>
    public void Dispose()
    {
        Embedder.Dispose();
        Photos.Dispose();
    }

    // Where 'uniface demo' writes it, if it was run in this folder.
    private static string? DemoPackage() =>
        Path.Combine("demo-out", "package") is string demo && File.Exists(Path.Combine(demo, ModelManifest.FileName)) ? demo : null;
}
