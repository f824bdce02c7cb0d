using UniFace.Embeddings;

namespace UniFace.Vision.Onnx;

/// <summary>
/// An embedding network in an ONNX file: from [N, 3, H, W] or [N, H, W, 3] of float32, float16 or uint8, N free or fixed, to [N, D].
/// Thread-safe.
/// </summary>
internal sealed class OnnxEmbedder : IEmbedder
{
    // Faces per run: few, so that the activations stay in a core's cache (1 to 2 measured 10 % faster than 4 to 16).
    private const int MaxBatch = 2;

    // In smaller models a second thread inside a run costs more than it saves, even for a single face.
    private const long LargeModelBytes = 32L << 20;

    private readonly OnnxSession session;
    private readonly TimeSpan? timeLimit;
    private readonly string path;
    private readonly OnnxModelShape shape;
    private readonly PixelInput input;
    private readonly int threads;
    private readonly Lazy<OnnxSession>? wide;

    private OnnxEmbedder(
        OnnxSession session, string path, ModelManifest manifest, OnnxModelShape shape, int threads, ExecutionProvider provider, TimeSpan? timeLimit)
    {
        this.session = session;
        this.timeLimit = timeLimit;
        this.path = path;
        this.shape = shape;
        this.threads = threads;
        input = PixelInput.Create(shape, manifest);
        bool splits = provider == ExecutionProvider.Cpu && threads > 1 && new FileInfo(path).Length > LargeModelBytes;
        wide = splits ? new Lazy<OnnxSession>(() => OnnxSession.Open(path, threads)) : null;
        Manifest = manifest;
    }

    /// <summary>How the model is run.</summary>
    public ModelManifest Manifest { get; }

    /// <inheritdoc/>
    public int EmbeddingSize => Manifest.EmbeddingSize;

    /// <inheritdoc/>
    public (int Width, int Height) InputSize => (Manifest.InputWidth, Manifest.InputHeight);

    /// <summary>Opens a model with a manifest. The hash of the file is not checked; <see cref="ModelPackage.Open"/> does that.</summary>
    /// <param name="onnxPath">The .onnx file.</param>
    /// <param name="manifest">Sizes, color order, normalization, flip-sum.</param>
    /// <param name="threads">Cores to use; 0 for all.</param>
    /// <param name="provider">What it runs on.</param>
    /// <exception cref="UniFaceException">
    /// It is not such a model, does not fit the manifest, does not finish, or does not run on the provider.
    /// </exception>
    public static OnnxEmbedder Open(string onnxPath, ModelManifest manifest, int threads = 0, ExecutionProvider provider = ExecutionProvider.Cpu) =>
        Open(onnxPath, _ => manifest, threads, manifest.Output, manifest.EmbeddingSize, provider: provider);

    /// <summary>Opens a model whose manifest depends on the shapes that the file declares.</summary>
    internal static OnnxEmbedder Open(
        string onnxPath, Func<OnnxModelShape, ModelManifest> manifestFor, int threads, string? output = null, int? size = null, TimeSpan? timeLimit = null,
        ExecutionProvider provider = ExecutionProvider.Cpu)
    {
        // Several faces are shared among threads that each run the whole network: no thread waits for another in every layer.
        OnnxSession session = OnnxSession.Open(onnxPath, 1, provider);
        try
        {
            OnnxModelShape shape = OnnxModelShape.Read(session, onnxPath, output, size);
            ModelManifest manifest = manifestFor(shape);
            shape.Check(manifest, onnxPath);
            OnnxEmbedder embedder = new(session, onnxPath, manifest, shape, threads > 0 ? threads : Environment.ProcessorCount, provider, timeLimit);

            // Run once, whatever the result: a model that does not finish is refused here, not by the first photo.
            embedder.Run(session, [new RgbImage(manifest.InputWidth, manifest.InputHeight)], 0, 1, new float[manifest.EmbeddingSize]);
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
        for (int i = 0; i < faces.Count; i++)
        {
            if ((faces[i].Width, faces[i].Height) != InputSize)
            {
                throw new UniFaceException(
                    $"face {i} of the batch is {faces[i].Width}x{faces[i].Height} pixels, " +
                    $"{path} takes {Manifest.InputWidth}x{Manifest.InputHeight}; align it first.");
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
        int share = shape.Batch > 0 ? shape.Batch : Math.Clamp((faces.Count + threads - 1) / threads, 1, MaxBatch);
        int runs = (faces.Count + share - 1) / share;
        if (runs == 1)
        {
            Share(wide?.Value ?? session, 0);
            return;
        }

        ParallelLoop.Run(runs, run => Share(session, run * share), threads: threads);

        void Share(OnnxSession on, int first)
        {
            int count = Math.Min(share, faces.Count - first);
            Run(on, faces, first, count, embeddings.AsMemory(first * EmbeddingSize, count * EmbeddingSize));
        }
    }

    private void Run(OnnxSession on, IReadOnlyList<RgbImage> faces, int first, int count, Memory<float> embeddings)
    {
        int batch = Math.Max(shape.Batch, count);
        input.Run(faces, first, count, batch, tensor =>
        {
            try
            {
                using OnnxSession.Results results = on.Run(shape.InputName, tensor, [shape.OutputName], timeLimit);
                ReadOnlySpan<float> output = results.Floats(0);
                if (output.Length != batch * EmbeddingSize)
                {
                    throw new UniFaceException($"{path}: {batch} faces gave {output.Length} values, expected {batch} embeddings of {EmbeddingSize}.");
                }

                TensorPrimitives.Add(embeddings.Span, output[..embeddings.Length], embeddings.Span);
            }
            catch (OnnxRuntimeException e)
            {
                throw new UniFaceException($"{path}: ONNX Runtime failed on {batch} faces: {e.Message.ReplaceLineEndings(" ")}", e);
            }
        });
    }

    private void Normalize(Span<float> embedding, int face)
    {
        double square = 0;
        for (int i = 0; i < embedding.Length; i++)
        {
            square += float.IsFinite(embedding[i]) ? (double)embedding[i] * embedding[i] : throw new UniFaceException(
                $"{path}: value {i} of the embedding of face {face} of the batch is {embedding[i]}; the model is damaged, or needs another normalization.");
        }

        if (square == 0)
        {
            throw new UniFaceException($"{path}: the embedding of face {face} of the batch is all 0 and has no direction.");
        }

        TensorPrimitives.Multiply(embedding, (float)(1 / Math.Sqrt(square)), embedding);
    }
}
