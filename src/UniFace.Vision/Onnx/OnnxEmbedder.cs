using System.Buffers;
using System.Runtime.ExceptionServices;
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
    // Faces of one run: few, so that a network's planes stay in a core's cache (1 to 2 measured 10 % faster than 4 to 16).
    private const int MaxBatch = 2;

    // Below this a second thread inside a run costs more than it brings, even for a single face.
    private const long LargeModelBytes = 32L << 20;

    private readonly OnnxSession session;
    private readonly TimeSpan? timeLimit;
    private readonly string path;
    private readonly string inputName;
    private readonly string outputName;
    private readonly bool fixedBatch;
    private readonly int threads;
    private readonly Lazy<OnnxSession>? wide;

    private OnnxEmbedder(OnnxSession session, string path, ModelManifest manifest, OnnxModelShape shape, int threads, TimeSpan? timeLimit)
    {
        this.session = session;
        this.timeLimit = timeLimit;
        this.path = path;
        this.threads = threads;
        inputName = shape.InputName;
        outputName = shape.OutputName;
        fixedBatch = shape.FixedBatch;
        wide = threads > 1 && new FileInfo(path).Length > LargeModelBytes ? new Lazy<OnnxSession>(() => OnnxSession.Open(path, threads)) : null;
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
    /// <exception cref="UniFaceException">It is no such model, its sizes are not the manifest's, or it does not end.</exception>
    public static OnnxEmbedder Open(string onnxPath, ModelManifest manifest, int threads = 0)
    {
        ArgumentNullException.ThrowIfNull(manifest);
        return Open(onnxPath, _ => manifest, threads, manifest.Output, manifest.EmbeddingSize);
    }

    /// <summary>Opens a model whose manifest is made from what the file itself says.</summary>
    internal static OnnxEmbedder Open(string onnxPath, Func<OnnxModelShape, ModelManifest> manifestOf, int threads, string? output = null, int? size = null, TimeSpan? timeLimit = null)
    {
        threads = threads > 0 ? threads : Environment.ProcessorCount;

        // Several faces are shared out to threads, each running the network by itself: that needs no waiting for each other in every layer.
        OnnxSession session = OnnxSession.Open(onnxPath, 1);
        try
        {
            OnnxModelShape shape = OnnxModelShape.Of(session, onnxPath, output, size);
            ModelManifest manifest = manifestOf(shape);
            shape.Check(manifest, onnxPath);
            OnnxEmbedder embedder = new(session, onnxPath, manifest, shape, threads, timeLimit);

            // One grey face, whatever comes of it: a model that does not end is refused here, not by the first photo.
            float[] grey = new float[3 * manifest.InputWidth * manifest.InputHeight];
            embedder.AddRun(session, grey, 1, new float[manifest.EmbeddingSize]);
            return embedder;
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
        RunAll(faces, embeddings);
        for (int i = 0; i < faces.Count; i++)
        {
            Normalize(embeddings.AsSpan(i * EmbeddingSize, EmbeddingSize), i);
        }

        return embeddings;
    }

    /// <summary>Frees the model.</summary>
    public void Dispose()
    {
        session.Dispose();
        if (wide is { IsValueCreated: true })
        {
            wide.Value.Dispose();
        }
    }

    private void RunAll(IReadOnlyList<RgbImage> faces, float[] embeddings)
    {
        int share = fixedBatch ? 1 : Math.Clamp((faces.Count + threads - 1) / threads, 1, MaxBatch);
        int runs = (faces.Count + share - 1) / share;
        if (runs <= 1 || threads == 1)
        {
            for (int run = 0; run < runs; run++)
            {
                RunRange(runs == 1 && wide is not null ? wide.Value : session, faces, run * share, Math.Min(share, faces.Count - (run * share)), embeddings);
            }

            return;
        }

        try
        {
            Parallel.For(0, runs, new ParallelOptions { MaxDegreeOfParallelism = threads }, run => RunRange(session, faces, run * share, Math.Min(share, faces.Count - (run * share)), embeddings));
        }
        catch (AggregateException e) when (e.Flatten().InnerExceptions.FirstOrDefault(x => x is UniFaceException or ObjectDisposedException) is Exception first)
        {
            ExceptionDispatchInfo.Throw(first);
        }
    }

    private void RunRange(OnnxSession on, IReadOnlyList<RgbImage> faces, int first, int count, float[] embeddings)
    {
        int size = 3 * Manifest.InputWidth * Manifest.InputHeight;

        // Rented: megabytes a run would otherwise go through the collector.
        float[] rented = ArrayPool<float>.Shared.Rent(count * size);
        try
        {
            Memory<float> input = rented.AsMemory(0, count * size); // [N, 3, H, W]
            Span<float> target = embeddings.AsSpan(first * EmbeddingSize, count * EmbeddingSize);
            for (int mirrored = 0; mirrored <= (Manifest.FlipSum ? 1 : 0); mirrored++)
            {
                for (int i = 0; i < count; i++)
                {
                    PixelTensor.Write(faces[first + i], Manifest, mirrored == 1, input.Span.Slice(i * size, size));
                }

                AddRun(on, input, count, target);
            }
        }
        finally
        {
            ArrayPool<float>.Shared.Return(rented);
        }
    }

    private void AddRun(OnnxSession on, Memory<float> input, int count, Span<float> target)
    {
        using OrtValue value = OrtValue.CreateTensorValueFromMemory(OrtMemoryInfo.DefaultInstance, input, [count, 3, Manifest.InputHeight, Manifest.InputWidth]);
        try
        {
            using OnnxSession.Results results = on.Run(inputName, value, [outputName], timeLimit);
            ReadOnlySpan<float> output = results[0];
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
