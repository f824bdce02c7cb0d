namespace UniFace.Training.FineTuning;

/// <summary>
/// The state of a fine-tuning before its first step: the weights of the model that it starts from, the embeddings moved towards 0 if the
/// model keeps them in a narrow cone as dlib's does, and each class center at the mean of its person's embeddings, so that the first steps do not
/// tear up what the weights know.
/// </summary>
internal static class WarmStart
{
    private const int Chunk = 64, MostThreshold = 1000, MostProbed = 2048;

    /// <summary>Embeddings whose mean, as unit vectors, is longer are moved towards 0.</summary>
    private const double NarrowCone = 0.5;

    /// <summary>
    /// The share of the mean that is subtracted. More helps on the people of CelebA (true match rate at a false match rate of 1e-3 of dlib's
    /// embeddings without 0, 0.3, 0.6, 0.8 and all of their mean: 75.7, 76.1, 76.7, 74.9, 69.7 %), and costs on those of LFW.
    /// </summary>
    private const double CenteredShare = 0.3;

    /// <summary>Loads the weights and sets the class centers.</summary>
    /// <param name="options">The model that it starts from.</param>
    /// <param name="backbone">Receives the weights.</param>
    /// <param name="head">Receives class centers and, if its loss has one, the threshold.</param>
    /// <param name="data">The training set.</param>
    /// <param name="load">Decodes one of its images.</param>
    /// <param name="targets">The embeddings of a teacher for its images, [N, T]; null without a teacher.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="UniFaceException">The weights cannot be read, or have changed since the run was created.</exception>
    public static void Run(
        FineTuneOptions options,
        Backbone backbone,
        RecognitionHead head,
        FaceDataset data,
        Func<int, RgbImage> load,
        float[][]? targets,
        CancellationToken cancellationToken)
    {
        using (StartWeights start = StartWeights.Open(options.Source))
        {
            if (start.Options.Sha256 != options.Sha256)
            {
                throw new UniFaceException($"{options.Source} has changed since the run was created; restore it, or start a new run.");
            }

            using IDisposable copying = no_grad();
            Dictionary<string, Tensor> targetsByName = Checkpoint.Tensors(backbone).ToDictionary(t => t.Name, t => t.Value);
            foreach ((string name, Tensor source) in Checkpoint.Tensors(start.Backbone))
            {
                targetsByName[name].copy_(source); // A layer that the start does not have stays the identity.
            }
        }

        using DisposeScope scope = NewDisposeScope();
        using IDisposable none = no_grad();
        bool mirrored = targets is not null && options.Manifest.FlipSum; // The map is for the embeddings that are compared.
        Tensor raw = Embed(backbone, mirrored, data.Samples.Count, load, cancellationToken); // [N, D]
        Tensor mean = raw.mean([0]); // [D]
        IEmbeddingLayer? last = (backbone as LayeredBackbone)?.EmbeddingLayer;
        if (UnitVectors.Normalize(raw).mean([0]).norm().item<float>() > NarrowCone && last is not null)
        {
            mean = mean * CenteredShare;
            last.Bias.sub_(mean.to(last.Bias.device));
            raw = raw - mean;
        }

        if (targets is not null && last is not null)
        {
            raw = TeacherMap.Fit(raw, tensor(targets.SelectMany(row => row).ToArray()).view(targets.Length, -1)).Apply(last, raw);
        }

        ClassCenters centers = head.Centers;
        if (centers.SubCenters == 1 && centers.Similarity == Similarity.Cosine)
        {
            Tensor labels = tensor(data.Samples.Select(s => (long)s.Label).ToArray()); // [N]
            Tensor sums = zeros(centers.Classes, raw.shape[1]).index_add_(0, labels, UnitVectors.Normalize(raw), 1); // [C, D]
            centers.Weight.copy_(UnitVectors.Normalize(sums));
            if (head.Objective is BinaryObjective { Bias: Parameter threshold })
            {
                PlaceThreshold(head, threshold, raw, labels);
            }
        }
    }

    /// <summary>
    /// Sets the threshold to the minimum of the loss, which is convex in it: with the start value of a new head, the pairs that dlib's embeddings
    /// do not keep below it would outweigh everything else in the first steps.
    /// </summary>
    private static void PlaceThreshold(RecognitionHead head, Parameter threshold, Tensor raw, Tensor labels)
    {
        double low = -MostThreshold, high = MostThreshold;
        long count = Math.Min(raw.shape[0], MostProbed);
        using Generator random = new(1);
        Tensor probed = randperm(raw.shape[0], generator: random).narrow(0, 0, count); // The set is ordered by person.
        (Tensor embeddings, Tensor classes) = (raw.index_select(0, probed), labels.index_select(0, probed));
        while (high - low > 0.01)
        {
            double middle = (low + high) / 2;
            threshold.fill_(middle);
            threshold.grad = null;
            using HeadOutput output = head.ForwardBackward(embeddings, classes, update: CenterUpdate.None);
            double slope = OwnedTensors.Value(threshold.grad!.sum());
            (low, high) = slope > 0 ? (low, middle) : (middle, high);
        }

        threshold.grad = null;
    }

    /// <summary>The embeddings before they are normalized, or the means of those of an image and its mirror image.</summary>
    private static Tensor Embed(Backbone backbone, bool mirrored, int images, Func<int, RgbImage> load, CancellationToken cancellationToken)
    {
        using BackboneEmbedder embedder = new(backbone, flipSum: mirrored, ownsBackbone: false);
        List<float> raw = [];
        foreach (int[] chunk in Enumerable.Range(0, images).Chunk(Chunk))
        {
            cancellationToken.ThrowIfCancellationRequested();
            raw.AddRange(embedder.EmbedRaw([.. chunk.Select(load)]));
        }

        using Tensor rows = tensor(raw.ToArray());
        return rows.view(images, -1) * (mirrored ? 0.5f : 1); // In libtorch's own memory, which is aligned.
    }
}
