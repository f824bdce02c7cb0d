using TorchSharp;
using TorchSharp.Modules;
using UniFace.Training.Backbones;
using static TorchSharp.torch;

namespace UniFace.Training.Checkpoints;

/// <summary>
/// How a checkpoint names its tensors: "backbone.*" and "head.*" for parameters and buffers, "optimizer.*" for the
/// optimizer's state, "ema.*" for the moving average of the backbone's parameters.
/// </summary>
public static class Checkpoint
{
    /// <summary>Value of the metadata "format": a file with a checksum and the id of its run.</summary>
    public const string Format = "uniface-checkpoint-2";

    /// <summary>The format before it, without checksum and run id. It is still read, but only in a run that has no id either.</summary>
    private const string FormatWithoutChecksum = "uniface-checkpoint-1";

    /// <summary>Prefix of the backbone's tensors.</summary>
    public const string BackbonePrefix = "backbone.";

    /// <summary>Prefix of the head's tensors.</summary>
    public const string HeadPrefix = "head.";

    /// <summary>Prefix of the optimizer's tensors.</summary>
    public const string OptimizerPrefix = "optimizer.";

    /// <summary>Prefix of the averaged parameters of the backbone.</summary>
    public const string AveragePrefix = "ema.";

    /// <summary>Opens a checkpoint of a run. Nothing is taken from it before its checksum, format and run are found right.</summary>
    /// <param name="path">The file.</param>
    /// <param name="runId">The run's id; empty for a run that was started before runs had one.</param>
    /// <exception cref="UniFaceException">
    /// The file is damaged, is no checkpoint, or belongs to another run; says which checkpoint can be used instead.
    /// </exception>
    public static SafeTensorsFile Open(string path, string runId)
    {
        string before = Path.Combine(Path.GetDirectoryName(Path.GetFullPath(path))!, TrainingRun.PreviousFile);
        string next = Path.GetFileName(path) == TrainingRun.LastFile && File.Exists(before)
            ? $" The checkpoint before it is {TrainingRun.PreviousFile}: rename it to {TrainingRun.LastFile} to go on from there."
            : " Bring it back from a copy, or start a new run.";
        SafeTensorsFile? file = null;
        try
        {
            file = SafeTensorsFile.Open(path);
            string format = file.Metadata.GetValueOrDefault("format", "");
            if (format != Format && format != FormatWithoutChecksum || file.HasChecksum != (format == Format))
            {
                throw new UniFaceException($"{path} is damaged or no checkpoint of this version; expected {Format} with its checksum.");
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

    /// <summary>Adds a module's parameters and buffers, which stay the module's.</summary>
    public static void AddModule(IDictionary<string, Tensor> tensors, string prefix, nn.Module module)
    {
        ArgumentNullException.ThrowIfNull(tensors);
        foreach ((string name, Tensor value) in Tensors(module))
        {
            tensors[prefix + name] = value;
        }
    }

    /// <summary>Fills a module's parameters and buffers from a checkpoint, in place.</summary>
    /// <exception cref="UniFaceException">A tensor is missing, too many, or of another shape or type.</exception>
    public static void ReadModule(SafeTensorsFile file, string prefix, nn.Module module)
    {
        ArgumentNullException.ThrowIfNull(file);
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGradient = no_grad();
        HashSet<string> left = [.. file.Entries.Keys.Where(k => k.StartsWith(prefix, StringComparison.Ordinal))];
        foreach ((string name, Tensor target) in Tensors(module))
        {
            Copy(file, prefix + name, target);
            left.Remove(prefix + name);
        }

        if (left.Count > 0)
        {
            throw new UniFaceException($"{file.Path}: '{left.Order(StringComparer.Ordinal).First()}' belongs to no part of this model: the checkpoint and run.json do not go together.");
        }
    }

    /// <summary>Puts the averaged parameters of a checkpoint, if it has any, into a backbone.</summary>
    public static void ReadAverage(SafeTensorsFile file, Backbone backbone)
    {
        ArgumentNullException.ThrowIfNull(file);
        ArgumentNullException.ThrowIfNull(backbone);
        if (!file.Entries.Keys.Any(k => k.StartsWith(AveragePrefix, StringComparison.Ordinal)))
        {
            return;
        }

        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGradient = no_grad();
        foreach ((string name, Parameter target) in backbone.named_parameters())
        {
            Copy(file, AveragePrefix + name, target);
        }
    }

    /// <summary>Reads all tensors under a prefix; the caller owns them.</summary>
    public static Dictionary<string, Tensor> ReadAll(SafeTensorsFile file, string prefix)
    {
        ArgumentNullException.ThrowIfNull(file);
        ArgumentNullException.ThrowIfNull(prefix);
        return file.Entries.Keys.Where(k => k.StartsWith(prefix, StringComparison.Ordinal)).ToDictionary(k => k[prefix.Length..], file.Read, StringComparer.Ordinal);
    }

    private static IEnumerable<(string Name, Tensor Value)> Tensors(nn.Module module)
    {
        foreach ((string name, Parameter value) in module.named_parameters())
        {
            yield return (name, value);
        }

        foreach ((string name, Tensor value) in module.named_buffers())
        {
            yield return (name, value);
        }
    }

    private static void Copy(SafeTensorsFile file, string name, Tensor target)
    {
        using Tensor read = file.Read(name);
        if (!read.shape.SequenceEqual(target.shape) || read.dtype != target.dtype)
        {
            throw new UniFaceException($"{file.Path}: '{name}' is {read.dtype}[{string.Join(", ", read.shape)}], expected {target.dtype}[{string.Join(", ", target.shape)}]: the checkpoint and run.json do not go together.");
        }

        target.copy_(read);
    }
}
