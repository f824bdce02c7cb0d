namespace UniFace.Training.Checkpoints;

/// <summary>
/// The format of a checkpoint: a safetensors file with a checksum, whose tensors are named "backbone.*" and "head.*" (parameters and buffers),
/// "optimizer.*" (the optimizer's state) and "ema.*" (the moving average of the backbone's parameters).
/// </summary>
internal static class Checkpoint
{
    /// <summary>Value of the metadata "format": a file with a checksum and the id of its run.</summary>
    public const string Format = "uniface-checkpoint-2";

    /// <summary>The format before, without checksum and run id. Only runs without an id have it.</summary>
    private const string FormatWithoutChecksum = "uniface-checkpoint-1";

    /// <summary>Prefix of the backbone's tensors.</summary>
    public const string BackbonePrefix = "backbone.";

    /// <summary>Prefix of the head's tensors.</summary>
    public const string HeadPrefix = "head.";

    /// <summary>Prefix of the optimizer's tensors.</summary>
    public const string OptimizerPrefix = "optimizer.";

    /// <summary>Prefix of the averaged parameters of the backbone.</summary>
    public const string AveragePrefix = "ema.";

    /// <summary>Opens a checkpoint of a run after checking its checksum, format and run id.</summary>
    /// <param name="path">The file.</param>
    /// <param name="runId">The id of the run; empty for runs from before ids.</param>
    /// <exception cref="UniFaceException">
    /// The file is damaged, is not a checkpoint, or belongs to another run; the message says which checkpoint can be used instead.
    /// </exception>
    public static SafeTensorsFile Open(string path, string runId)
    {
        string previous = Path.Combine(Path.GetDirectoryName(Path.GetFullPath(path))!, CheckpointStore.PreviousFile);
        string next = Path.GetFileName(path) == CheckpointStore.LastFile && File.Exists(previous)
            ? $" {CheckpointStore.Remedy}."
            : " Restore it from a copy, or start a new run.";
        SafeTensorsFile? file = null;
        try
        {
            file = SafeTensorsFile.Open(path);
            string format = file.Metadata.GetValueOrDefault("format", "");
            if (format != Format && format != FormatWithoutChecksum || file.HasChecksum != (format == Format))
            {
                throw new UniFaceException($"{path} is damaged or not a checkpoint of this version; expected {Format} with its checksum.");
            }

            return file.Metadata.GetValueOrDefault("run", "") == runId
                ? file
                : throw new UniFaceException($"{path} is a checkpoint of another run than the run.json beside it.");
        }
        catch (UniFaceException e) when (File.Exists(path))
        {
            file?.Dispose();
            throw new UniFaceException(e.Message + next, e);
        }
    }

    /// <summary>Adds the parameters and buffers of a module, which still owns them.</summary>
    public static void AddModule(IDictionary<string, Tensor> tensors, string prefix, nn.Module module)
    {
        foreach ((string name, Tensor value) in Tensors(module))
        {
            tensors[prefix + name] = value;
        }
    }

    /// <summary>Copies the parameters and buffers of a module from a checkpoint.</summary>
    /// <param name="file">The checkpoint.</param>
    /// <param name="prefix">Prefix of the module's tensors.</param>
    /// <param name="module">The module.</param>
    /// <param name="perClass">The tensors of which this process takes some rows only; null if there are none.</param>
    /// <exception cref="UniFaceException">A tensor is missing, unexpected, or of another shape or type.</exception>
    public static void ReadModule(SafeTensorsFile file, string prefix, nn.Module module, ShardedTensors? perClass = null)
    {
        using NoGradScope scope = new();
        HashSet<string> left = [.. file.Entries.Keys.Where(k => k.StartsWith(prefix, StringComparison.Ordinal))];
        foreach ((string name, Tensor target) in Tensors(module))
        {
            if (perClass?.Has(prefix + name) == true)
            {
                using Tensor rows = perClass.Read(prefix + name);
                Copy(file, prefix + name, rows, target);
            }
            else
            {
                Copy(file, prefix + name, target);
            }

            left.Remove(prefix + name);
        }

        if (left.Count > 0)
        {
            string unexpected = left.Order(StringComparer.Ordinal).First();
            throw new UniFaceException(
                $"{file.Path}: '{unexpected}' belongs to no part of this model: the checkpoint and run.json do not match.");
        }
    }

    /// <summary>Copies the averaged parameters of a checkpoint, if it has any, to a backbone.</summary>
    public static void ReadAverage(SafeTensorsFile file, nn.Module backbone)
    {
        if (!file.Entries.Keys.Any(k => k.StartsWith(AveragePrefix, StringComparison.Ordinal)))
        {
            return;
        }

        using NoGradScope scope = new();
        foreach ((string name, Parameter target) in backbone.named_parameters())
        {
            Copy(file, AveragePrefix + name, target);
        }
    }

    /// <summary>Reads all tensors with a prefix; the caller owns them.</summary>
    public static Dictionary<string, Tensor> ReadAll(SafeTensorsFile file, string prefix, ShardedTensors? perClass = null) =>
        file.Entries.Keys.Union(perClass?.Names ?? []).Where(k => k.StartsWith(prefix, StringComparison.Ordinal))
            .ToDictionary(k => k[prefix.Length..], k => perClass?.Has(k) == true ? perClass.Read(k) : file.Read(k), StringComparer.Ordinal);

    /// <summary>The parameters and buffers of a module by their names.</summary>
    public static IEnumerable<(string Name, Tensor Value)> Tensors(nn.Module module) =>
        module.named_parameters().Select(p => (p.name, (Tensor)p.parameter)).Concat(module.named_buffers().Select(b => (b.name, b.buffer)));

    private static void Copy(SafeTensorsFile file, string name, Tensor target)
    {
        using Tensor read = file.Read(name);
        Copy(file, name, read, target);
    }

    private static void Copy(SafeTensorsFile file, string name, Tensor read, Tensor target)
    {
        if (!read.shape.SequenceEqual(target.shape) || read.dtype != target.dtype)
        {
            throw new UniFaceException(
                $"{file.Path}: '{name}' is {read.dtype}[{string.Join(", ", read.shape)}], expected {target.dtype}[{string.Join(", ", target.shape)}]: " +
                "the checkpoint and run.json do not match.");
        }

        target.copy_(read);
    }
}
