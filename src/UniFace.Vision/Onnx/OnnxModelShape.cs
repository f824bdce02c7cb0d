using Microsoft.ML.OnnxRuntime;
using UniFace.Packages;

namespace UniFace.Vision.Onnx;

/// <summary>What an embedding network in an ONNX file says of its own input and output; 0 for what it leaves free.</summary>
internal sealed record OnnxModelShape(string InputName, string OutputName, bool FixedBatch, int Width, int Height, int EmbeddingSize)
{
    /// <summary>Reads a session's shapes.</summary>
    /// <exception cref="UniFaceException">It is not a network from [N, 3, H, W] to [N, D].</exception>
    public static OnnxModelShape Of(InferenceSession session, string path)
    {
        if (session.InputMetadata.Count != 1)
        {
            throw new UniFaceException($"{path}: {session.InputMetadata.Count} inputs ({string.Join(", ", session.InputMetadata.Keys)}), expected one of Nx3xHxW.");
        }

        (string inputName, NodeMetadata input) = session.InputMetadata.First();
        int[] i = input.Dimensions;
        if (input.ElementDataType != Microsoft.ML.OnnxRuntime.Tensors.TensorElementType.Float || i.Length != 4 || i[1] is not (3 or < 1) || i[0] > 1)
        {
            throw new UniFaceException($"{path}: its input '{inputName}' is {input.ElementDataType} {OnnxSession.Shape(i)}, expected Float Nx3xHxW (N free or 1).");
        }

        // Some models give more than the embedding; it is the first output of one row a face.
        foreach ((string outputName, NodeMetadata output) in session.OutputMetadata)
        {
            int[] o = output.Dimensions;
            if (output.ElementDataType == Microsoft.ML.OnnxRuntime.Tensors.TensorElementType.Float && o.Length >= 2 && o[0] <= 1 && o[1] != 0 && o.Skip(2).All(d => d == 1))
            {
                return new OnnxModelShape(inputName, outputName, i[0] == 1, Math.Max(i[3], 0), Math.Max(i[2], 0), Math.Max(o[1], 0));
            }
        }

        throw new UniFaceException($"{path}: no output of NxD; it has {string.Join(", ", session.OutputMetadata.Select(o => $"'{o.Key}' {OnnxSession.Shape(o.Value.Dimensions)}"))}.");
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
