using Microsoft.ML.OnnxRuntime;
using UniFace.Embeddings;
using UniFace.Faces;
using UniFace.Packages;

namespace UniFace.Vision.Onnx;

/// <summary>
/// An embedding network in an ONNX file: any model from float32 [N, 3, H, W] (N free or 1) to [N, D]. Thread-safe.
/// </summary>
public sealed class OnnxEmbedder : IEmbedder
{
    private const int MaxBatch = 32;

    private readonly InferenceSession session;
    private readonly RunOptions runOptions = new();
    private readonly string path;
    private readonly string inputName;
    private readonly string outputName;
    private readonly bool fixedBatch;
    private readonly int threads;

    private OnnxEmbedder(InferenceSession session, string path, ModelManifest manifest, OnnxModelShape shape, int threads)
    {
        this.session = session;
        this.path = path;
        this.threads = threads;
        inputName = shape.InputName;
        outputName = shape.OutputName;
        fixedBatch = shape.FixedBatch;
        Manifest = manifest;
    }

    /// <summary>How the model is run.</summary>
    public ModelManifest Manifest { get; }

    /// <inheritdoc/>
    public int EmbeddingSize => Manifest.EmbeddingSize;

    /// <inheritdoc/>
    public (int Width, int Height) InputSize => (Manifest.InputWidth, Manifest.InputHeight);

    /// <summary>Opens a model to be run as a manifest says; its ONNX hash is not looked at (<see cref="ModelPackage.Open"/> does).</summary>
    /// <param name="onnxPath">The .onnx file.</param>
    /// <param name="manifest">Sizes, colour order, normalisation, flip-sum.</param>
    /// <param name="threads">Cores to use; 0 for all.</param>
    /// <exception cref="UniFaceException">It is no such model, or its sizes are not the manifest's.</exception>
    public static OnnxEmbedder Open(string onnxPath, ModelManifest manifest, int threads = 0)
    {
        ArgumentNullException.ThrowIfNull(manifest);
        return Open(onnxPath, _ => manifest, threads);
    }

    /// <summary>Opens a model whose manifest is made from what the file itself says.</summary>
    internal static OnnxEmbedder Open(string onnxPath, Func<OnnxModelShape, ModelManifest> manifestOf, int threads)
    {
        threads = threads > 0 ? threads : Environment.ProcessorCount;

        // A model that takes one face a run is run on several faces at a time instead, a thread each.
        InferenceSession session = OnnxSession.Open(onnxPath, threads);
        try
        {
            OnnxModelShape shape = OnnxModelShape.Of(session, onnxPath);
            if (shape.FixedBatch && threads > 1)
            {
                session.Dispose();
                session = OnnxSession.Open(onnxPath, 1);
            }

            ModelManifest manifest = manifestOf(shape);
            shape.Check(manifest, onnxPath);
            return new OnnxEmbedder(session, onnxPath, manifest, shape, threads);
        }
        catch
        {
            session.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public float[] Embed(IReadOnlyList<RgbImage> faces)
    {
        ArgumentNullException.ThrowIfNull(faces);
        for (int i = 0; i < faces.Count; i++)
        {
            if (faces[i].Width != Manifest.InputWidth || faces[i].Height != Manifest.InputHeight)
            {
                throw new UniFaceException($"face {i} of the batch is {faces[i].Width}x{faces[i].Height} pixels, {path} takes {Manifest.InputWidth}x{Manifest.InputHeight}; align it first.");
            }
        }

        float[] embeddings = new float[faces.Count * EmbeddingSize]; // [N, D]
        if (fixedBatch)
        {
            RunEach(faces, embeddings);
        }
        else
        {
            for (int first = 0; first < faces.Count; first += MaxBatch)
            {
                RunRange(faces, first, Math.Min(MaxBatch, faces.Count - first), embeddings);
            }
        }

        for (int i = 0; i < faces.Count; i++)
        {
            Normalize(embeddings.AsSpan(i * EmbeddingSize, EmbeddingSize), i);
        }

        return embeddings;
    }

    /// <summary>Frees the model.</summary>
    public void Dispose()
    {
        runOptions.Dispose();
        session.Dispose();
    }

    private void RunEach(IReadOnlyList<RgbImage> faces, float[] embeddings)
    {
        if (faces.Count == 1 || threads == 1)
        {
            for (int i = 0; i < faces.Count; i++)
            {
                RunRange(faces, i, 1, embeddings);
            }

            return;
        }

        try
        {
            Parallel.For(0, faces.Count, new ParallelOptions { MaxDegreeOfParallelism = threads }, i => RunRange(faces, i, 1, embeddings));
        }
        catch (AggregateException e) when (e.Flatten().InnerExceptions.OfType<UniFaceException>().FirstOrDefault() is UniFaceException first)
        {
            throw new UniFaceException(first.Message, e);
        }
    }

    private void RunRange(IReadOnlyList<RgbImage> faces, int first, int count, float[] embeddings)
    {
        int size = 3 * Manifest.InputWidth * Manifest.InputHeight;
        float[] input = new float[count * size]; // [N, 3, H, W]
        for (int i = 0; i < count; i++)
        {
            PixelTensor.Write(faces[first + i], Manifest, mirrored: false, input.AsSpan(i * size, size));
        }

        Span<float> target = embeddings.AsSpan(first * EmbeddingSize, count * EmbeddingSize);
        AddRun(input, count, target);
        if (Manifest.FlipSum)
        {
            for (int i = 0; i < count; i++)
            {
                PixelTensor.Write(faces[first + i], Manifest, mirrored: true, input.AsSpan(i * size, size));
            }

            AddRun(input, count, target);
        }
    }

    private void AddRun(float[] input, int count, Span<float> target)
    {
        using OrtValue value = OrtValue.CreateTensorValueFromMemory(input, [count, 3, Manifest.InputHeight, Manifest.InputWidth]);
        try
        {
            using IDisposableReadOnlyCollection<OrtValue> results = session.Run(runOptions, [inputName], [value], [outputName]);
            ReadOnlySpan<float> output = results[0].GetTensorDataAsSpan<float>();
            if (output.Length != target.Length)
            {
                throw new UniFaceException($"{path}: {count} faces gave {output.Length} values, expected {count} embeddings of {EmbeddingSize}.");
            }

            for (int i = 0; i < output.Length; i++)
            {
                target[i] += output[i];
            }
        }
        catch (OnnxRuntimeException e)
        {
            throw new UniFaceException($"{path}: ONNX Runtime failed on {count} faces: {e.Message.ReplaceLineEndings(" ")}", e);
        }
    }

    private void Normalize(Span<float> embedding, int face)
    {
        double square = 0;
        for (int i = 0; i < embedding.Length; i++)
        {
            if (!float.IsFinite(embedding[i]))
            {
                throw new UniFaceException($"{path}: value {i} of the embedding of face {face} of the batch is {embedding[i]}; the model is damaged, or its normalisation (--normalize) is not this one.");
            }

            square += (double)embedding[i] * embedding[i];
        }

        if (square == 0)
        {
            throw new UniFaceException($"{path}: the embedding of face {face} of the batch is all 0 and has no direction.");
        }

        float factor = (float)(1 / Math.Sqrt(square));
        for (int i = 0; i < embedding.Length; i++)
        {
            embedding[i] *= factor;
        }
    }
}
