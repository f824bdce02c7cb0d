using UniFace.Training.Export;

namespace UniFace.Training;

/// <summary>A training run on disk.</summary>
public sealed class TrainingRun
{
    internal TrainingRun(string folder, RunInfo info, TrainResult? result) => (Folder, Info, Result) = (folder, info, result);

    /// <summary>The run folder.</summary>
    public string Folder { get; }

    /// <summary>The result of the training; null for a run that was opened.</summary>
    public TrainResult? Result { get; }

    /// <summary>The options of the run.</summary>
    public TrainOptions Options => Info.Options;

    /// <summary>The description of the run.</summary>
    internal RunInfo Info { get; }

    /// <summary>Opens a run.</summary>
    /// <exception cref="UniFaceException">The folder is not a run, or its run.json is damaged.</exception>
    public static TrainingRun Open(string folder) => new(folder, RunFolder.ReadInfo(folder), null);

    /// <summary>An embedder with the weights of the run, on the CPU.</summary>
    /// <param name="best">True: the weights that were best on validation, if there are any. False: the last ones.</param>
    /// <param name="flipSum">True: an embedding is f(x) + f(mirrored x).</param>
    internal BackboneEmbedder OpenEmbedder(bool best = true, bool flipSum = false) => new(RunFolder.LoadBackbone(Folder, best).Backbone, flipSum);

    /// <summary>
    /// Writes the run as a model package, after checking that ONNX Runtime gives the trained embeddings, with a calibration on the people who were
    /// not trained on, if there are any.
    /// </summary>
    /// <param name="packageFolder">The package folder: absent, empty, or a package to replace.</param>
    /// <param name="options">Export options; null for the defaults.</param>
    /// <param name="cancellationToken">Stops the export; the destination is then as it was.</param>
    /// <exception cref="UniFaceException">The run has no checkpoint, or the package is refused; the message says why.</exception>
    public ModelPackage Export(string packageFolder, ExportOptions? options = null, CancellationToken cancellationToken = default) =>
        ModelPackage.Open(ExportPackage(packageFolder, options, cancellationToken).Folder);

    /// <inheritdoc cref="Export"/>
    /// <param name="packageFolder">The package folder: absent, empty, or a package to replace.</param>
    /// <param name="options">Export options; null for the defaults.</param>
    /// <param name="cancellationToken">Stops the export; the destination is then as it was.</param>
    public Task<ModelPackage> ExportAsync(string packageFolder, ExportOptions? options = null, CancellationToken cancellationToken = default) =>
        Task.Run(() => Export(packageFolder, options, cancellationToken), CancellationToken.None);

    /// <summary>Exports, and returns what was written and measured.</summary>
    internal ExportResult ExportPackage(string packageFolder, ExportOptions? options = null, CancellationToken cancellationToken = default) =>
        RunExporter.Export(Folder, packageFolder, options ?? new ExportOptions(), cancellationToken);
}
