using Microsoft.ML.OnnxRuntime.Tensors;

namespace UniFace.Vision.Onnx;

/// <summary>The input and output that an ONNX file declares for an embedding network; 0 for a free dimension.</summary>
internal sealed record OnnxModelShape(
    string InputName, TensorElementType InputType, bool ChannelsLast, int Batch, int Width, int Height, string OutputName, int EmbeddingSize)
{
    /// <summary>True for an input of uint8, which the model normalizes itself.</summary>
    public bool TakesBytes => InputType == TensorElementType.UInt8;

    // Other outputs of a face (a norm, an age, a quality) have few values.
    private const int MinEmbeddingSize = 16;

    /// <summary>Reads the shapes of a session.</summary>
    /// <param name="session">The model.</param>
    /// <param name="path">Its file.</param>
    /// <param name="outputName">The output that is the embedding; null to choose by shape and name.</param>
    /// <param name="size">The embedding size in the manifest; null if there is none.</param>
    /// <exception cref="UniFaceException">It is not a network from faces to [N, D], or several outputs could be the embedding.</exception>
    public static OnnxModelShape Read(OnnxSession session, string path, string? outputName = null, int? size = null)
    {
        if (session.Inputs.Count != 1)
        {
            throw new UniFaceException($"{path}: {session.Inputs.Count} inputs ({string.Join(", ", session.Inputs.Keys)}), expected one of Nx3xHxW.");
        }

        (string inputName, NodeMetadata input) = session.Inputs.First();
        int[] shape = input.Dimensions;
        bool channelsLast = shape is [_, not 3, _, 3];
        if (input.ElementDataType is not (TensorElementType.Float or TensorElementType.Float16 or TensorElementType.UInt8)
            || (!channelsLast && shape is not [_, 3 or < 1, _, _]))
        {
            throw new UniFaceException(
                $"{path}: its input '{inputName}' is {input.ElementDataType} {OnnxSession.Shape(shape)}, " +
                "expected Float, Float16 or UInt8 of Nx3xHxW or NxHxWx3.");
        }

        int batch = Math.Max(shape[0], 0);
        string output = FindEmbedding(session, path, batch, outputName, size);
        (int height, int width) = channelsLast ? (shape[1], shape[2]) : (shape[2], shape[3]);
        return new OnnxModelShape(
            inputName, input.ElementDataType, channelsLast, batch, Math.Max(width, 0), Math.Max(height, 0), output, Size(session, output));
    }

    /// <summary>Compares the file with a manifest.</summary>
    /// <exception cref="UniFaceException">They differ.</exception>
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

        if (TakesBytes && manifest.Normalization is not { Mean: 0, Deviation: 1 })
        {
            throw new UniFaceException(
                $"{path}: it takes pixels of 0 to 255 and normalizes them itself; expected a normalization of mean 0 and deviation 1, " +
                Invariant($"found {manifest.Normalization.Mean} and {manifest.Normalization.Deviation}."));
        }
    }

    // The output of [N, D] with enough values, or with as many as the manifest says; of several, the one with "emb" or "feat" in its name.
    private static string FindEmbedding(OnnxSession session, string path, int batch, string? outputName, int? size)
    {
        string[] rows = [.. session.Outputs.Where(output => IsRows(output.Value)).Select(output => output.Key)];
        string[] fit = outputName is not null ? [.. rows.Where(name => name == outputName && Size(session, name) != 1)]
            : rows.Any(name => Size(session, name) == size) ? [.. rows.Where(name => Size(session, name) == size)]
            : [.. rows.Where(name => size is not null || Size(session, name) is 0 or >= MinEmbeddingSize)];
        string[] named = fit.Length > 1
            ? [.. fit.Where(name => name.Contains("emb", StringComparison.OrdinalIgnoreCase) || name.Contains("feat", StringComparison.OrdinalIgnoreCase))]
            : fit;
        if (named is [string only])
        {
            return only;
        }

        string all = string.Join(", ", session.Outputs.Select(o => $"'{o.Key}' {o.Value.ElementDataType} {OnnxSession.Shape(o.Value.Dimensions)}"));
        throw new UniFaceException(
            fit.Length > 1 ? $"{path}: several outputs could be the embedding; it has {all}. Name it with the option 'output'."
            : outputName is not null ? $"{path}: '{outputName}' is not an output of Float NxD with D of 2 or more; it has {all}."
            : $"{path}: no output is an embedding, Float NxD with D of {MinEmbeddingSize} or more; it has {all}. If one is, name it with the option 'output'.");

        bool IsRows(NodeMetadata output) =>
            output.ElementDataType is TensorElementType.Float or TensorElementType.Float16
            && output.Dimensions is [int n, not 0, .. int[] rest] && (n <= 1 || n == batch) && rest.All(d => d == 1);
    }

    private static int Size(OnnxSession session, string output) => Math.Max(session.Outputs[output].Dimensions[1], 0);
}
