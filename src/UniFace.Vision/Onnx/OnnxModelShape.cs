using Microsoft.ML.OnnxRuntime;
using UniFace.Packages;

namespace UniFace.Vision.Onnx;

/// <summary>What an embedding network in an ONNX file says of its own input and output; 0 for what it leaves free.</summary>
internal sealed record OnnxModelShape(string InputName, string OutputName, bool FixedBatch, int Width, int Height, int EmbeddingSize)
{
    // A norm, an age, a score: what else a model may say of a face has few values. Of 16 on, strangers differ.
    private const int FewestValues = 16;

    /// <summary>Reads a session's shapes.</summary>
    /// <param name="session">The model.</param>
    /// <param name="path">Its file.</param>
    /// <param name="outputName">The output that is the embedding; null to choose by shape and name.</param>
    /// <param name="size">Values of the embedding where a manifest states them; null if not known.</param>
    /// <exception cref="UniFaceException">It is not a network from [N, 3, H, W] to [N, D], or several outputs could be the embedding.</exception>
    public static OnnxModelShape Of(OnnxSession session, string path, string? outputName = null, int? size = null)
    {
        if (session.Inputs.Count != 1)
        {
            throw new UniFaceException($"{path}: {session.Inputs.Count} inputs ({string.Join(", ", session.Inputs.Keys)}), expected one of Nx3xHxW.");
        }

        (string inputName, NodeMetadata input) = session.Inputs.First();
        int[] i = input.Dimensions;
        if (input.ElementDataType != Microsoft.ML.OnnxRuntime.Tensors.TensorElementType.Float || i.Length != 4 || i[1] is not (3 or < 1) || i[0] > 1)
        {
            throw new UniFaceException($"{path}: its input '{inputName}' is {input.ElementDataType} {OnnxSession.Shape(i)}, expected Float Nx3xHxW (N free or 1).");
        }

        string chosen = Embedding(session, path, outputName, size);
        return new OnnxModelShape(inputName, chosen, i[0] == 1, Math.Max(i[3], 0), Math.Max(i[2], 0), Math.Max(session.Outputs[chosen].Dimensions[1], 0));
    }

    /// <summary>The output that is the embedding: rows of enough values (or of as many as is known); of several the one that is named so.</summary>
    private static string Embedding(OnnxSession session, string path, string? outputName, int? size)
    {
        string[] rows = [.. session.Outputs.Where(output => IsRows(output.Value)).Select(output => output.Key)];
        string[] fit = outputName is not null ? [.. rows.Where(name => name == outputName && Size(name) != 1)]
            : size is not null && rows.Any(name => Size(name) == size) ? [.. rows.Where(name => Size(name) == size)]
            : [.. rows.Where(name => size is not null || Size(name) is 0 or >= FewestValues)];
        string[] named = fit.Length > 1
            ? [.. fit.Where(name => name.Contains("emb", StringComparison.OrdinalIgnoreCase) || name.Contains("feat", StringComparison.OrdinalIgnoreCase))]
            : fit;
        if (named is [string only])
        {
            return only;
        }

        string all = string.Join(
            ", ", session.Outputs.Select(output => $"'{output.Key}' {output.Value.ElementDataType} {OnnxSession.Shape(output.Value.Dimensions)}"));
        throw new UniFaceException(
            fit.Length > 1 ? $"{path}: several outputs could be the embedding; it has {all}. Name it: --output NAME."
            : outputName is not null ? $"{path}: --output {outputName} is no output of Float NxD with D of 2 or more; it has {all}."
            : $"{path}: no output is an embedding, Float NxD with D of {FewestValues} or more; it has {all}. If one is, name it: --output NAME.");

        int Size(string name) => Math.Max(session.Outputs[name].Dimensions[1], 0);

        static bool IsRows(NodeMetadata output) =>
            output.ElementDataType == Microsoft.ML.OnnxRuntime.Tensors.TensorElementType.Float
            && output.Dimensions is [<= 1, not 0, ..] && output.Dimensions.Skip(2).All(d => d == 1);
    }

    /// <summary>Compares with a manifest.</summary>
    /// <exception cref="UniFaceException">A size differs.</exception>
    public void Check(ModelManifest manifest, string path)
    {
        if ((Width > 0 && Width != manifest.InputWidth) || (Height > 0 && Height != manifest.InputHeight))
        {
            throw new UniFaceException($"{path}: it takes faces of {Width}x{Height}, its manifest says {manifest.InputWidth}x{manifest.InputHeight}.");
        }

        if (EmbeddingSize > 0 && EmbeddingSize != manifest.EmbeddingSize)
        {
            throw new UniFaceException($"{path}: it gives embeddings of {EmbeddingSize} values, its manifest says {manifest.EmbeddingSize}.");
        }
    }
}
