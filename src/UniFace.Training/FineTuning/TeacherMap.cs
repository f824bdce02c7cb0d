namespace UniFace.Training.FineTuning;

/// <summary>
/// A linear map of a model's embeddings that makes their cosines agree more with a teacher's, while it keeps what they know. R is the ridge
/// regression of the teacher's embeddings on the model's, a guess that needs no teacher. The map is the one that gives the inner products of
/// the embeddings with a part of R appended: a low-rank change of the metric, from a closed form, which a few thousand photos determine and
/// labels do not touch. It becomes part of the last layer, for dlib's network one that takes the embeddings as unit vectors.
/// </summary>
/// <param name="Weight">L, [D, D], float64.</param>
/// <param name="Shift">Added after it, [D].</param>
internal sealed record TeacherMap(Tensor Weight, Tensor Shift)
{
    /// <summary>
    /// Length of the appended part as a share of the embeddings' own. On LFW, dlib-resnet with 0, 0.5, 0.7, 1 and 1.5, taught by
    /// faceplugin-mobilefacenet on CelebA: 98.9, 99.0, 98.95, 98.7 and 98.65 %.
    /// </summary>
    private const double Share = 0.5;

    private const double Ridge = 0.1;

    /// <summary>Fits the map.</summary>
    /// <param name="embeddings">The model's embeddings as the last layer gives them, [N, D].</param>
    /// <param name="targets">The teacher's, [N, T].</param>
    public static TeacherMap Fit(Tensor embeddings, Tensor targets)
    {
        using NoGradScope scope = new();
        LinearFit fit = new((int)embeddings.shape[1], (int)targets.shape[1]);
        fit.Add(embeddings, targets);
        Tensor regression = fit.Solve(Ridge).Weight; // [T, D]
        (Tensor mean, Tensor covariance) = (fit.Mean, fit.Covariance);
        Tensor own = covariance.trace() + mean.square().sum(); // the mean squared lengths
        Tensor guessed = regression.mm(covariance).mul(regression).sum().clamp_min(1e-30);
        Tensor metric = eye(mean.shape[0], dtype: ScalarType.Float64) + (regression.t().mm(regression) * (Share * Share * own / guessed));
        (Tensor values, Tensor vectors) = linalg.eigh(metric); // [D], all at least 1, and [D, D]
        Tensor map = (vectors * values.sqrt()).mm(vectors.t()); // symmetric
        Tensor inverse = (vectors / values.sqrt()).mm(vectors.t());

        // (x - mean) L + mean L^-1: the inner products with the mean stay as they were.
        return new TeacherMap(map.MoveToOuterDisposeScope(), (inverse.mv(mean) - map.mv(mean)).MoveToOuterDisposeScope());
    }

    /// <summary>Adds the map to a last layer.</summary>
    /// <param name="layer">The layer.</param>
    /// <param name="embeddings">Its embeddings, [N, D].</param>
    /// <returns>The embeddings that it gives now.</returns>
    public Tensor Apply(IEmbeddingLayer layer, Tensor embeddings)
    {
        (Tensor weight, Tensor shift) = layer.Fold();
        layer.SetFolded(Weight.mm(weight), Weight.mv(shift) + Shift);
        return (embeddings.to(ScalarType.Float64).mm(Weight) + Shift).to(ScalarType.Float32);
    }
}
