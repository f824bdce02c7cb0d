using UniFace.Vision.Onnx;

namespace UniFace.Training.Distillation;

/// <summary>
/// The targets of a distillation: a teacher's embeddings of the student's images, as unit vectors of the student's size. If the teacher is
/// aligned to another template, its crop is cut out of the student's. If it has larger embeddings, they are projected on the principal
/// directions of those of the training images, which preserves their inner products best of all projections to that size. Thread-safe after
/// <see cref="Prepare"/>.
/// </summary>
internal sealed class Teacher : IDisposable
{
    private readonly TeacherOptions options;
    private readonly IEmbedder embedder;
    private readonly Func<RgbImage, RgbImage> crop;
    private readonly int size;
    private readonly TeacherPhotos? photos;
    private float[][] clean = []; // by sample
    private float[]? projection; // [T, D]; null if the sizes are equal

    private Teacher(TeacherOptions options, IEmbedder embedder, Func<RgbImage, RgbImage> crop, int size, TeacherPhotos? photos)
    {
        this.photos = photos;
        this.options = options;
        this.embedder = embedder;
        this.crop = crop;
        this.size = size;
    }

    /// <summary>From the teacher's embeddings to the targets, [T, D] in rows; null if the sizes are equal. Known after <see cref="Prepare"/>.</summary>
    public float[]? Projection => projection;

    /// <summary>Its embeddings of the training images as they are, unit vectors of the student's size; empty if not needed.</summary>
    public float[][] Clean => clean;

    /// <summary>Opens the package of a run's teacher.</summary>
    /// <param name="options">What to learn from it.</param>
    /// <param name="student">How the student's images are aligned.</param>
    /// <param name="size">Values in an embedding of the student.</param>
    /// <param name="threads">Threads of the teacher.</param>
    /// <param name="openPhotos">Opens its own photos for the size of its faces, or null.</param>
    /// <exception cref="UniFaceException">It cannot be opened, is not the model with which the run was started, or has smaller embeddings.</exception>
    public static Teacher Open(
        TeacherOptions options,
        AlignmentTemplate student,
        int size,
        int threads,
        Func<(int Width, int Height), TeacherPhotos>? openPhotos = null)
    {
        (ModelManifest manifest, string onnx) = OpenPackage(options);
        if (manifest.ContractId != options.ContractId)
        {
            throw new UniFaceException(
                $"the teacher {options.Package} is a model of contract {manifest.ContractId}, and the run was started with {options.ContractId}; " +
                "restore that package, or start a new run.");
        }

        if (size > manifest.EmbeddingSize)
        {
            throw new UniFaceException(
                $"the teacher {options.Package} has embeddings of {manifest.EmbeddingSize} values, fewer than the student's {size}; " +
                $"give the student an embedding size of {manifest.EmbeddingSize} or less.");
        }

        TeacherPhotos? photos = openPhotos?.Invoke((manifest.InputWidth, manifest.InputHeight));
        return new Teacher(options, OnnxEmbedder.Open(onnx, manifest, threads), CreateCrop(student, manifest.CreateTemplate()), size, photos);
    }

    /// <summary>The options with the contract of the package.</summary>
    /// <exception cref="UniFaceException">The package cannot be opened.</exception>
    public static TeacherOptions Resolve(TeacherOptions options) => options with { ContractId = OpenPackage(options).Manifest.ContractId };

    /// <summary>Computes what does not change with the epochs: the embeddings of clean images, and the projection.</summary>
    /// <param name="images">Number of training images.</param>
    /// <param name="load">Decodes one; called from several threads.</param>
    /// <param name="keepClean">True: also <see cref="Clean"/>, if the targets do not need it.</param>
    /// <param name="progress">Called with the images done since the last call.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public void Prepare(
        int images, Func<int, RgbImage> load, bool keepClean = false, Action<int>? progress = null, CancellationToken cancellationToken = default)
    {
        bool projects = size < embedder.EmbeddingSize;
        if (!projects && !keepClean && options.View == TeacherView.Augmented)
        {
            return;
        }

        Func<int, RgbImage> face = photos is null ? i => crop(load(i)) : photos.Load;
        EmbeddedFaces faces = BatchEmbedding.Embed(embedder, images, face, progress: progress, cancellationToken: cancellationToken);
        projection = projects ? PrincipalDirections(faces) : null;
        clean = [.. Enumerable.Range(0, images).Select(i => Project(faces.Row(i).ToArray()))];
    }

    /// <summary>The targets of a batch, [B, D]. The caller owns them.</summary>
    /// <param name="samples">Indices of the training images.</param>
    /// <param name="augmented">The images as the student sees them.</param>
    public Tensor CreateTargets(IReadOnlyList<int> samples, IReadOnlyList<RgbImage> augmented)
    {
        IEnumerable<float[]> rows = options.View == TeacherView.Clean
            ? samples.Select(sample => clean[sample])
            : embedder.Embed([.. augmented.Select(crop)]).Chunk(embedder.EmbeddingSize).Select(Project);

        // Memory of libtorch, which is aligned: sums over that of an array depend on its address.
        Tensor targets = empty([samples.Count, size], ScalarType.Float32).DetachFromDisposeScope();
        rows.SelectMany(row => row).ToArray().CopyTo(TensorMemory.Floats(targets));
        return targets;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        embedder.Dispose();
        photos?.Dispose();
    }

    private static (ModelManifest Manifest, string Onnx) OpenPackage(TeacherOptions options)
    {
        ModelPackage package = ModelPackage.Open(options.Package);
        return (package.Manifest ?? throw new UniFaceException(
            $"{options.Package} is a bare .onnx file, which does not say how faces are aligned and normalized for it; expected a package as a teacher."),
            package.OnnxPath);
    }

    private static Func<RgbImage, RgbImage> CreateCrop(AlignmentTemplate student, AlignmentTemplate teacher)
    {
        if ((student.Width, student.Height) == (teacher.Width, teacher.Height) && student.Landmarks == teacher.Landmarks)
        {
            return image => image;
        }

        SimilarityTransform map = new FaceAligner(teacher).Fit(student.Landmarks);
        return image => ImageWarp.Warp(image, map, teacher.Width, teacher.Height, border: CropBorder.Replicate);
    }

    /// <summary>The eigenvectors of the largest eigenvalues of the embeddings' second moments, [T, D].</summary>
    private float[] PrincipalDirections(EmbeddedFaces faces)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor rows = tensor(faces.Values).view(faces.Count, faces.Dimension).to(ScalarType.Float64); // [N, T]
        (_, Tensor vectors) = linalg.eigh(rows.t().mm(rows)); // ascending eigenvalues, [T, T]
        return OwnedTensors.Floats(vectors.slice(1, faces.Dimension - size, faces.Dimension, 1));
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
