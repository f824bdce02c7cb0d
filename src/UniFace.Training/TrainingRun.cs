using UniFace.Training.Export;

namespace UniFace.Training;

/// <summary>A training run on disk.</summary>
/// <param name="Folder">The run folder.</param>
/// <param name="Info">The description of the run.</param>
/// <param name="Result">The result of the training; null for a run that was opened.</param>
public sealed record TrainingRun(string Folder, RunInfo Info, TrainResult? Result)
{
    /// <summary>Opens a run.</summary>
    /// <exception cref="UniFaceException">The folder is not a run, or its run.json is damaged.</exception>
    public static TrainingRun Open(string folder) => new(folder, RunFolder.ReadInfo(folder), null);

    /// <summary>An embedder with the weights of the run, on the CPU.</summary>
    /// <param name="best">True: the weights that were best on validation, if there are any. False: the last ones.</param>
    /// <param name="flipSum">True: an embedding is f(x) + f(mirrored x).</param>
    public BackboneEmbedder OpenEmbedder(bool best = true, bool flipSum = false) => new(RunFolder.LoadBackbone(Folder, best).Backbone, flipSum);

    /// <summary>Writes the run as a model package, after checking that ONNX Runtime gives the trained embeddings.</summary>
    /// <param name="packageFolder">The package folder: absent, empty, or a package to replace.</param>
    /// <param name="options">How; null for the defaults.</param>
    /// <param name="cancellationToken">Stops the export; the destination is then as it was.</param>
    /// <exception cref="UniFaceException">The run has no checkpoint, or the package is refused; the message says why.</exception>
    public ExportResult Export(string packageFolder, ExportOptions? options = null, CancellationToken cancellationToken = default) =>
        RunExporter.Export(Folder, packageFolder, options ?? new ExportOptions(), cancellationToken);
}
