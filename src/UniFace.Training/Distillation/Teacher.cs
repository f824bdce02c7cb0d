using UniFace.Vision.Onnx;

namespace UniFace.Training.Distillation;

/// <summary>
/// The targets of a distillation: a teacher's embeddings of the student's pictures, as unit vectors of the student's size. If the teacher is
/// aligned to another template, its crop is cut out of the student's. If it has larger embeddings, they are projected on the principal
/// directions of those of the training pictures, which keeps their cosines as well as any linear map can. Thread-safe after <see cref="Prepare"/>.
/// </summary>
internal sealed class Teacher : IDisposable
{
    private const int Chunk = 64, SaveEvery = 2048;
    private readonly TeacherOptions options;
    private readonly IEmbedder embedder;
    private readonly EmbeddingCache cache;
    private readonly Func<RgbImage, RgbImage> crop;
    private readonly int size;
    private float[][] clean = []; // by sample
    private float[]? projection; // [T, D]; null if the sizes are equal

    /// <summary>A teacher.</summary>
    /// <param name="options">What to learn from it.</param>
    /// <param name="embedder">The model; taken over.</param>
    /// <param name="crop">From the student's picture to the teacher's.</param>
    /// <param name="cache">Embeddings that are known already.</param>
    /// <param name="size">Values in an embedding of the student.</param>
    public Teacher(TeacherOptions options, IEmbedder embedder, Func<RgbImage, RgbImage> crop, EmbeddingCache cache, int size)
    {
        this.options = options;
        this.embedder = embedder;
        this.crop = crop;
        this.cache = cache;
        this.size = size;
        if (size > embedder.EmbeddingSize)
        {
            embedder.Dispose();
            throw new UniFaceException(
                $"the teacher {options.Package} has embeddings of {embedder.EmbeddingSize} values, fewer than the student's {size}; " +
                $"give the student an embedding size of {embedder.EmbeddingSize} or less.");
        }
    }

    /// <summary>Opens the package of a run's teacher.</summary>
    /// <param name="options">What to learn from it.</param>
    /// <param name="student">How the student's pictures are aligned.</param>
    /// <param name="size">Values in an embedding of the student.</param>
    /// <param name="threads">Threads of the teacher.</param>
    /// <exception cref="UniFaceException">It cannot be opened, or is not the model with which the run was started.</exception>
    public static Teacher Open(TeacherOptions options, AlignmentTemplate student, int size, int threads)
    {
        ModelManifest manifest = ReadManifest(options, out string onnx);
        if (manifest.ContractId != options.ContractId)
        {
            throw new UniFaceException(
                $"the teacher {options.Package} is a model of contract {manifest.ContractId}, and the run was started with {options.ContractId}; " +
                "restore that package, or start a new run.");
        }

        EmbeddingCache cache = new(EmbeddingCache.PathOf(options.Cache, manifest.ContractId), manifest.ContractId, manifest.EmbeddingSize);
        return new Teacher(options, OnnxEmbedder.Open(onnx, manifest, threads), Crop(student, manifest.CreateTemplate()), cache, size);
    }

    /// <summary>The options with the contract of the package.</summary>
    /// <exception cref="UniFaceException">The package cannot be opened.</exception>
    public static TeacherOptions Resolve(TeacherOptions options) => options with { ContractId = ReadManifest(options, out _).ContractId };

    /// <summary>Embeds all training pictures, except those that the cache knows, and finds the projection.</summary>
    /// <param name="data">The training pictures.</param>
    /// <param name="decoder">Decodes them.</param>
    /// <param name="input">Size of the student's pictures.</param>
    /// <param name="progress">Called with the pictures done since the last call and in total.</param>
    /// <param name="cancellation">Stops; what is known by then is kept.</param>
    public void Prepare(
        FaceDataset data, IImageDecoder decoder, (int Width, int Height) input, Action<int, int>? progress, CancellationToken cancellation)
    {
        clean = new float[data.Samples.Count][];
        try
        {
            for (int first = 0; first < clean.Length; first += Chunk)
            {
                cancellation.ThrowIfCancellationRequested();
                int[] samples = [.. Enumerable.Range(first, Math.Min(Chunk, clean.Length - first))];
                EmbedKnown([.. samples.Select(i => crop(BatchLoader.Decode(decoder, data.Read(i), $"{data.Source}: {data.Samples[i].Name}", input)))])
                    .CopyTo(clean, first);
                if (first / Chunk % (SaveEvery / Chunk) == 0)
                {
                    cache.Save();
                }

                progress?.Invoke(samples.Length, clean.Length);
            }
        }
        finally
        {
            cache.Save();
        }

        projection = size < embedder.EmbeddingSize ? PrincipalDirections() : null;
        clean = [.. clean.Select(Project)];
    }

    /// <summary>The targets of a batch, [B, D] in rows.</summary>
    /// <param name="samples">Indices of the training pictures.</param>
    /// <param name="augmented">The pictures that the student sees.</param>
    public float[] Targets(IReadOnlyList<int> samples, IReadOnlyList<RgbImage> augmented)
    {
        if (options.View == TeacherView.Clean)
        {
            return [.. samples.SelectMany(sample => clean[sample])];
        }

        float[] embeddings = embedder.Embed([.. augmented.Select(crop)]);
        return [.. embeddings.Chunk(embedder.EmbeddingSize).SelectMany(Project)];
    }

    /// <inheritdoc/>
    public void Dispose() => embedder.Dispose();

    private static ModelManifest ReadManifest(TeacherOptions options, out string onnx)
    {
        ModelPackage package = ModelPackage.Open(options.Package);
        onnx = package.OnnxPath;
        return package.Manifest ?? throw new UniFaceException(
            $"{options.Package} is a bare .onnx file, which does not say how faces are aligned and normalized for it; expected a package as a teacher.");
    }

    private static Func<RgbImage, RgbImage> Crop(AlignmentTemplate student, AlignmentTemplate teacher)
    {
        if ((student.Width, student.Height) == (teacher.Width, teacher.Height) && student.Landmarks == teacher.Landmarks)
        {
            return image => image;
        }

        SimilarityTransform map = new FaceAligner(teacher).Fit(student.Landmarks);
        return image => ImageWarp.Warp(image, map, teacher.Width, teacher.Height, border: CropBorder.Replicate);
    }

    private float[][] EmbedKnown(RgbImage[] faces)
    {
        UInt128[] keys = [.. faces.Select(EmbeddingCache.KeyOf)];
        float[]?[] result = [.. keys.Select(cache.Find)];
        int[] missing = [.. Enumerable.Range(0, faces.Length).Where(i => result[i] is null)];
        float[] computed = missing.Length == 0 ? [] : embedder.Embed([.. missing.Select(i => faces[i])]);
        for (int i = 0; i < missing.Length; i++)
        {
            float[] embedding = computed.AsSpan(i * embedder.EmbeddingSize, embedder.EmbeddingSize).ToArray();
            cache.Add(keys[missing[i]], embedding);
            result[missing[i]] = embedding;
        }

        return result!;
    }

    /// <summary>The eigenvectors of the largest eigenvalues of the embeddings' second moments, [T, D].</summary>
    private float[] PrincipalDirections()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor rows = tensor(clean.SelectMany(e => e).ToArray()).view(clean.Length, embedder.EmbeddingSize).to(ScalarType.Float64); // [N, T]
        (_, Tensor vectors) = linalg.eigh(rows.t().mm(rows)); // ascending eigenvalues, [T, T]
        return OwnedTensors.Floats(vectors.slice(1, embedder.EmbeddingSize - size, embedder.EmbeddingSize, 1));
    }

    private float[] Project(float[] embedding)
    {
        if (projection is null)
        {
            return embedding;
        }

        double[] sums = new double[size];
        for (int i = 0; i < embedding.Length; i++)
        {
            for (int j = 0; j < size; j++)
            {
                sums[j] += (double)embedding[i] * projection[(i * size) + j];
            }
        }

        double norm = Math.Max(Math.Sqrt(sums.Sum(v => v * v)), 1e-12);
        return [.. sums.Select(v => (float)(v / norm))];
    }
}
