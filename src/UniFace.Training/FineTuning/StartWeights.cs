using UniFace.Training.Export;
using UniFace.Vision.Onnx;

namespace UniFace.Training.FineTuning;

/// <summary>A weight of the network and where it was read from.</summary>
/// <param name="Name">The weight in the backbone: "body.3.first.weight".</param>
/// <param name="Source">Its name in the file.</param>
internal sealed record ImportedWeight(string Name, string Source);

/// <summary>
/// The model that a fine-tuning starts from: a backbone with its weights. Opening a package also checks that the backbone gives the embeddings of
/// the package.
/// </summary>
internal sealed class StartWeights : IDisposable
{
    private StartWeights(Backbone backbone, FineTuneOptions options, IReadOnlyList<ImportedWeight> names)
    {
        Backbone = backbone;
        Options = options;
        Names = names;
    }

    /// <summary>The backbone with the weights.</summary>
    public Backbone Backbone { get; }

    /// <summary>
    /// The backbone of a fine-tuning to a teacher's embeddings: that of the weights, for dlib-resnet with a last layer more, which maps the embeddings
    /// as unit vectors. The lengths of dlib's differ from photo to photo, and a map of the embeddings themselves loses half of its gain to that.
    /// </summary>
    public BackboneSpec TaughtSpec => Backbone.Spec.Name == DlibNet.Name ? Backbone.Spec with { Name = DlibNet.MappedName } : Backbone.Spec;

    /// <summary>Options that start from these weights, otherwise with defaults.</summary>
    public FineTuneOptions Options { get; }

    /// <summary>The weights read, by their names in the backbone and in the file; empty for a run.</summary>
    public IReadOnlyList<ImportedWeight> Names { get; }

    /// <summary>Opens a package, an installed model, a run, or a .pth or .safetensors file of InsightFace's iresnet.</summary>
    /// <exception cref="UniFaceException">It is none of them, or its network is not one of UniFace's.</exception>
    public static StartWeights Open(string source) => RunFolder.Exists(source)
        ? OpenRun(source)
        : File.Exists(source) && Path.GetExtension(source).ToUpperInvariant() is ".PTH" or ".PT" or ".SAFETENSORS"
            ? OpenFile(source)
            : OpenPackage(source);

    /// <summary>Disposes the backbone.</summary>
    public void Dispose() => Backbone.Dispose();

    private static StartWeights OpenRun(string run)
    {
        (Backbone backbone, RunInfo info) = RunFolder.LoadBackbone(run);
        FineTuneOptions options = new()
        {
            Source = Path.GetFullPath(run),
            Sha256 = Sha256.HashFile(RunFolder.CheckpointPath(run)),
            Manifest = info.Options.CreateManifest(),
        };
        return new StartWeights(backbone, options, []);
    }

    private static StartWeights OpenPackage(string source)
    {
        ModelPackage package = ModelPackage.Open(source);
        ModelManifest manifest = package.Manifest ?? throw new UniFaceException(
            $"{source} is a bare .onnx file, which does not say how faces are aligned and normalized for it; expected a package.");
        OnnxWeights weights = OnnxWeights.Open(package.OnnxPath);
        LayeredBackbone backbone = (LayeredBackbone)BackboneRegistry.Create(Identify(weights, manifest, source), seed: 1);
        try
        {
            backbone.Load(weights);
            backbone.ConvertInput(manifest.ColorOrder, manifest.Normalization);
            backbone.eval();
            ModelManifest plain = manifest with { FlipSum = false };
            using OnnxEmbedder expected = OnnxEmbedder.Open(package.OnnxPath, plain);
            using BackboneEmbedder actual = new(backbone, flipSum: false, ownsBackbone: false);
            if (actual.InputSize != expected.InputSize || !ParityGate.Measure(actual, expected).Passed)
            {
                throw new UniFaceException(
                    $"{source}: the network {backbone.Spec} with the package's weights does not give the package's embeddings; it cannot be fine-tuned.");
            }

            FineTuneOptions options = new()
            {
                Source = Directory.Exists(source) ? Path.GetFullPath(source) : source,
                Sha256 = manifest.OnnxSha256,
                Manifest = manifest with { ColorOrder = ColorOrder.Rgb, Normalization = backbone.Input.Normalization },
            };
            return new StartWeights(backbone, options, NamesOf(backbone, weights));
        }
        catch
        {
            backbone.Dispose();
            throw;
        }
    }

    private static StartWeights OpenFile(string path)
    {
        (LayeredBackbone backbone, IReadOnlyList<ImportedWeight> read) = InsightFaceWeights.Load(path);
        FineTuneOptions options = new()
        {
            Source = Path.GetFullPath(path),
            Sha256 = Sha256.HashFile(path),
            Manifest = BackboneRegistry.Manifest(backbone.Spec) with { Source = Path.GetFileName(path) },
        };
        return new StartWeights(backbone, options, read);
    }

    /// <summary>The backbone that the file names, as the exporter writes it, or dlib's, or a MobileFaceNet by its operators.</summary>
    private static BackboneSpec Identify(OnnxWeights weights, ModelManifest manifest, string source)
    {
        if (weights.Backbone is null && weights.Graph == DlibNet.Name)
        {
            return new BackboneSpec(DlibNet.Name, 1, manifest.EmbeddingSize);
        }

        return BackboneSpec.TryParse(weights.Backbone) ?? MobileFaceNet.Recognize(weights) ?? throw new UniFaceException(
            $"{source}: the network is none of UniFace's, so it cannot be trained ({string.Join(", ", BackboneRegistry.Names)}); start from dlib-resnet, " +
            "from faceplugin-mobilefacenet, from a package that 'uniface export' wrote, or from a .pth or .safetensors file of InsightFace's iresnet; " +
            "or learn from it as a teacher.");
    }

    private static ImportedWeight[] NamesOf(Backbone backbone, OnnxWeights weights)
    {
        Dictionary<nint, string> names = Checkpoint.Tensors(backbone).ToDictionary(t => TensorMemory.Address(t.Value), t => t.Name);
        return [.. weights.Read.Select(r => new ImportedWeight(names[r.Address], r.Name))];
    }
}
